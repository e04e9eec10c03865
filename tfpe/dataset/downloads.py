"""A network that is not there: said at once, where TFDS would try for minutes."""

import contextlib
import urllib.parse

from tfpe.errors import DatasetError

SECONDS = 10  # for a host to answer
MOST_HOSTS = 3


@contextlib.contextmanager
def no_vain_downloads(builder):
    """Within, downloads of a TFDS builder fail at once where no host is in reach.

    TFDS tries each file eleven times, for more than three minutes, and says nothing
    meanwhile. What it has downloaded before it still finds: only what it would fetch
    now is refused.
    """
    reason = None if builder.is_prepared() else unreachable(builder.url_infos or ())
    if reason is None:
        yield
        return
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download import downloader

    def refuse(*_, **__):
        raise DatasetError(reason)

    fetch = getattr(downloader, "_open_url", None)
    downloader._open_url = refuse
    tfds.disable_progress_bar()
    try:
        yield
    finally:
        downloader._open_url = fetch
        tfds.enable_progress_bar()


def unreachable(urls):
    """Why none of the hosts of `urls` answers, in words; None where one does.

    Proxies of the environment (https_proxy and so on) are used, as TFDS uses them. Any
    answer will do, also a refusal.
    """
    import requests

    hosts = [urllib.parse.urlsplit(url)[:2] for url in urls if url.startswith("http")]
    hosts = [f"{scheme}://{host}" for scheme, host in dict.fromkeys(hosts)]
    for host in hosts[:MOST_HOSTS]:
        try:
            requests.head(host, timeout=SECONDS, allow_redirects=False)
        except requests.exceptions.SSLError:
            return None
        except requests.exceptions.RequestException:
            continue
        else:
            return None
    if not hosts:
        return None
    # Never the address of a proxy: it may hold a password.
    proxy = requests.utils.get_environ_proxies(hosts[0])
    through = " through the proxy that the environment names" if proxy else ""
    return (
        f"{hosts[0]} cannot be reached{through}, and the set is not on the disk: "
        "download it where there is a network, and copy the folder"
    )
