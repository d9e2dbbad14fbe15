"""Commands of a POP3 login as they may be shown."""

from app.protocols import sasl


def masked(line: str) -> str:
    """Return a `line` of the login with every secret gone, the user shown."""
    verb, _, argument = line.partition(" ")
    match verb:
        case "USER":
            return line
        case "PASS":
            return f"PASS {sasl.MASK}"
        case "APOP":  # whoever has the digest can try words against it
            return f"APOP {argument.rpartition(' ')[0]} {sasl.MASK}"
        case _:
            return sasl.masked(line)
