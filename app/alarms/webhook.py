"""The alarm as an HTTP POST of JSON, for a chat, a pager or an incident tool."""

from app.alarms.body import Body
from app.alarms.http_client import call
from app.domain.alarm import Alarm


class Webhook:
    """Posts alarms to one URL, which is a secret: it never shows in a log or an error."""

    name = "url"

    def __init__(self, url: str, *, body: Body) -> None:
        """`body` makes the JSON of an alarm."""
        self._url = url
        self._body = body

    async def send(self, alarm: Alarm) -> None:
        """Return once the server has answered 2xx. Raises AlarmNotSent."""
        await call("POST", self._url, json_body=self._body(alarm))
