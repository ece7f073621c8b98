"""How a network is trained: the loop, its session, and what surrounds it."""
