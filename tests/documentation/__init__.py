"""README, docs, man pages, contrib and the package say and hold what is true."""
