"""Tables in README and other Markdown files, rendered from records by one command.

    tfpe tables README.md            fills the tables in
    tfpe tables README.md --check    exits with 1 where they disagree

What stands between `<!-- table: NAME -->` and `<!-- end table -->`, each on a line of
its own, is replaced by what `TABLES[NAME]` makes of the records in `results` beside
the file. `<!-- table: training dataset=cifar10 -->` takes only the records whose
settings have these values.
"""
