"""Tools of MCP servers, by the official client (extra ``mcp``); imported only where an agent names a server.

`threads` bridges from a call's clock to the servers' own loop, `link` keeps the connection to one server,
`results` turns what a server answers into a JSON value.
"""
