"""Values that a held edition would change say which deliveries moved them; those of an edition held before say so from the next night on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

TOLD = "Deliveries that moved it, who moved most first"


def upgrade() -> None:
    """None of what is held already says so."""
    op.add_column(
        "held_value", sa.Column("deliveries", ARRAY(sa.Integer()), server_default="{}", nullable=False, comment=TOLD), schema="ops"
    )


def downgrade() -> None:
    """The next night of a newer version says so again."""
    op.drop_column("held_value", "deliveries", schema="ops")
