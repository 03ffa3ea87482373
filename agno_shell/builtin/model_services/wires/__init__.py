"""The protocols, one module each: how a request is written, and how a reply is read."""
