"""A model connection that outlives its sockets: it resumes, replays, and knows when to give up."""
