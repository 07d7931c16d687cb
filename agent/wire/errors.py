"""What is wrong with bytes of the wire, under a name that log, metric and test share."""


class WireError(Exception):
    """Bytes or values that break the wire contract.

    ``reason`` is one of: ``oversized``, ``bad_topic``, ``malformed``, ``bad_payload``, ``wrong_kind``,
    ``wrong_mac`` (the peer's fault), ``unencodable``, ``bad_key`` (ours). ``text`` says what was found.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(reason + ": " + text)
        self.reason = reason
        self.text = text
