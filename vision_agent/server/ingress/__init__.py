"""Everything between the network and the calls: who may ask for what, how much, how long."""
