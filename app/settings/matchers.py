"""Lists of matchers, as routes and heartbeats have them."""

from typing import Annotated

from pydantic import PlainValidator

from app.domain.errors import ConfigurationError
from app.domain.matcher import Matcher, parse_matcher


def _matchers(value: object) -> tuple[Matcher, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise ValueError("""is no list; write ['team="db"', 'host=~"db[0-9]+"']""")
    try:
        return tuple(map(parse_matcher, texts))
    except ConfigurationError as error:
        problem = str(error)
    raise ValueError(problem)


Matchers = Annotated[tuple[Matcher, ...], PlainValidator(_matchers)]
