"""Why a port cannot be served on."""

import errno
import socket


def find_port_fault(host: str, port: int) -> str | None:
    """Say why nothing can listen on a port, and what to do; None if it is free.

    Args:
        host: address or name of this machine, as in GRADIO_SERVER_NAME.
        port: as in GRADIO_SERVER_PORT.
    """
    with socket.socket() as listener:
        # A port that a server has just left is free, although connections to it still end.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            return _explain(error, host, port)
    return None


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is taken by another program. Stop that program, or set "
            "GRADIO_SERVER_PORT to another port."
        )
    return (
        f"The page cannot be served on port {port} of {host}: {error.strerror}. Check "
        "GRADIO_SERVER_PORT and GRADIO_SERVER_NAME."
    )
