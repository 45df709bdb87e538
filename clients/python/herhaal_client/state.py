"""How a service is, which each service says of itself."""

from herhaal_client.api import Api
from herhaal_client.calls import Call
from schemas.api.state import StateView


async def service_state(api: Api) -> StateView:
    """Show what is ready and what waits in a service, in numbers."""
    return (await api.ask(Call("GET", "/state"))).read(StateView.model_validate_json)
