"""Where the broker is and who connects."""


class Address:
    """Host, port, client id (the device's name) and ``keepalive_s`` in seconds."""

    def __init__(self, host: str, port: int, client_id: str, keepalive_s: int) -> None:
        """Keep the parts as they are."""
        self.host = host
        self.port = port
        self.client_id = client_id
        self.keepalive_s = keepalive_s
