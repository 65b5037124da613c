"""The stock of parts, as an MCP server on stdin and stdout."""

from mcp.server import MCPServer

STOCK = {"m4 screw": 120, "m5 screw": 36, "washer": 400, "hinge": 0}

server = MCPServer("stock")


@server.tool()
def check_stock(name: str) -> dict[str, object]:
    """Check the stock of a part, for example "M4 screw": how many there are."""
    found = name.lower().strip().removesuffix("s")
    if found not in STOCK:
        return {"error": f"We never had any. There are: {', '.join(STOCK)}."}
    return {"part": found, "in_stock": STOCK[found]}


if __name__ == "__main__":
    server.run("stdio")
