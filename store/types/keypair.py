"""Nova key pairs: only the collecting user's own can be listed. The id is user and name."""

from store.types.declaration import Column, Link, Listing, ResourceType
from store.types.parts import USER

TYPE = ResourceType(
    name="keypair",
    plural="keypairs",
    title="Key pairs",
    aliases=("key", "keys", "key_pair"),
    listing=Listing(
        service="compute", path="/os-keypairs", key="keypairs", microversion="2.87", wrapper="keypair", needs="owner"
    ),
    id_path=(),
    id_derive="keypair_id",
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=24, shown=True, search=True),
        Column("key_type", path=("type",), title="TYPE", width=6, shown=True),
        Column("fingerprint", path=("fingerprint",), title="FINGERPRINT", width=44, shown=True, search=True),
        Column("user_id", path=("user_id",), role="id", title="USER ID"),
    ),
    joined=(USER,),
    links=(Link("server", "key_name", own="name", title="servers"), Link("user", "id", own="user_id", title="user")),
)
