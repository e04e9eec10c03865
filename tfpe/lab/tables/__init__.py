"""Tables in README and other Markdown files, rendered from records by one command.

    tfpe tables            fills the tables of README.md and docs/ in
    tfpe tables --check    exits with 1 where they disagree

What stands between `<!-- table: NAME -->` and `<!-- end table -->`, each on a line of
its own, is replaced by what `TABLES[NAME]` makes of the records in `results` beside
the file, or beside a folder that holds it. `<!-- table: training dataset=cifar10 -->`
takes only the records whose settings have these values.
"""
