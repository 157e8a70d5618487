"""In-place operations, views, and what they mean for gradients.

Views share memory and a version counter with their base, as in PyTorch.  Writing through a view gives the base the
derivative of "everything as before, except here"; the other views of the same base learn of it when they are used next.
Where no gradient is recorded, a write goes straight into the memory.  Under tracing nothing is overwritten: the tensor
gets a new variable, and the tracer notes that its state changed.
"""

from __future__ import annotations

from .elementwise import *
from .linalg import *
from .placing import *
from .placing import set_item as set_item
from .random import *
from .running import *
from .shape import *
from .writing import memory as memory
from .writing import refresh as refresh
from .writing import replay as replay
from .writing import write as write
