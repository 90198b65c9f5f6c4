"""A row's number is the one that the sender's program shows: the header of a CSV is row 1, a row of a sheet has its number there."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FACTS = ("bill", "dossier", "payment", "portal_766", "published_figure", "signature", "signature_holder", "survey", "unit_count")
TABLES = {
    **{f"warehouse.fact_{fact}": "Number of the row in the delivered file, the header not counted, from 1" for fact in FACTS},
    **{
        f"warehouse.list_{thing}": "Number of the row in the delivered file, the header not counted, from 1"
        for thing in ("agency", "merchant", "procedure")
    },
    "ops.confirmation": "Number of the row in the delivered file, the header not counted, from 1",
    "ops.quarantine": "Number of the row in the file, from 1",
}
"""Table → the comment of its row_number before this step."""
CSV = (
    "'agencies_csv', 'dvcqg_csv', 'dvcqg_payment_csv', 'ecpay_csv', 'evn_csv', 'holders_csv', 'merchants_csv', 'procedures_csv', "
    "'published_figures_csv', 'surveys_csv', 'unit_counts_csv'"
)
"""Layouts whose rows are one further down than they were counted."""


def upgrade() -> None:
    """Rows set aside are found under their new numbers, so that decisions on them hold; facts keep the numbers they were loaded with.

    Where a sheet's header stood is not known any more: rows of workbooks and pages keep their numbers until they are read again.
    """
    _move(+1)
    _comment(dict.fromkeys(TABLES, "Number of the row in the delivered file, as the program shows it that wrote the file"))


def downgrade() -> None:
    """As it was."""
    _move(-1)
    _comment(TABLES)


def _move(by: int) -> None:
    """Moves the rows of every CSV; by way of negative numbers, since no two rows may ever have the same."""
    for assignment, condition in ((f"-(row_number + {by})", "row_number > 0"), ("-row_number", "row_number < 0")):
        op.execute(
            f"UPDATE ops.quarantine q SET row_number = {assignment} FROM ops.delivery d "
            f"WHERE d.delivery_id = q.delivery_id AND d.layout IN ({CSV}) AND {condition}"
        )


def _comment(comments: dict[str, str]) -> None:
    for table, comment in comments.items():
        op.execute(f"COMMENT ON COLUMN {table}.row_number IS '{comment}'")
