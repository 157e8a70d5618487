"""How long a training step takes here, and in the other libraries that are installed, each in its own process."""

from retrograd.bench.nets import NETS, QUICK, Net
from retrograd.bench.peers import OURS, PEERS, Peer
from retrograd.bench.steps import measure_step

__all__ = ["NETS", "OURS", "PEERS", "QUICK", "Net", "Peer", "measure_step"]
