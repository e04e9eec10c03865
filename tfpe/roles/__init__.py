"""The owner's side of a model that a cloud trained, and what may leave it."""

from tfpe.roles.models import client_model, cloud_model, export, predict

__all__ = ["client_model", "cloud_model", "export", "predict"]
