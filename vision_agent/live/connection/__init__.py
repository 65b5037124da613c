"""A model connection that outlives its sockets: what is sent, resumed, replayed and given up."""
