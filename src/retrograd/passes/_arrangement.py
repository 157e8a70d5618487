"""Rules of `simplify` for shapes: where elements lie, not what they are.  They copy elements, so they keep every bit."""

from __future__ import annotations

import math

import numpy as np

from ..graph import Equation, Var
from ..op import Op
from ..ops.arithmetic import Add
from ..ops.matmul import Matmul
from ..ops.reduce import Prod, Sum
from ..ops.shape import Broadcast, Cat, Flip, Permute, Place, Reshape, Slice, Steps
from ..types import Shape, size
from ._algebra import never_negative_zero, repeat
from ._draft import single
from ._rules import Rewriting, Rule, changed


def core(shape: Shape) -> Shape:
    """A shape without the leading ones, which a broadcast puts there by itself."""
    k = 0
    while k < len(shape) and shape[k] == 1:
        k += 1
    return shape[k:]


def keep_shape(d: Rewriting, eq: Equation) -> Var | None:
    """A reshape or broadcast to the shape that is there already."""
    x = eq.inputs[0]
    return x if x.type.shape == eq.outputs[0].type.shape else None


def reshape_twice(d: Rewriting, eq: Equation) -> Equation | None:
    """The order of the elements stays in both, so the last shape alone counts."""
    inner = d.made_by(eq.inputs[0], Reshape)
    return changed(eq, Reshape, inner.inputs[0], shape=eq.params["shape"]) if inner else None


def broadcast_twice(d: Rewriting, eq: Equation) -> Equation | None:
    """Repeating what is repeated."""
    inner = d.made_by(eq.inputs[0], Broadcast)
    return changed(eq, Broadcast, inner.inputs[0], shape=eq.params["shape"]) if inner else None


def broadcast_of_reshape(d: Rewriting, eq: Equation) -> Equation | None:
    """A reshape that puts ones in front or takes them away is what a broadcast does by itself."""
    inner = d.made_by(eq.inputs[0], Reshape)
    if inner is None:
        return None
    x, shape = inner.inputs[0], eq.params["shape"]
    fits = len(x.type.shape) <= len(shape) and core(x.type.shape) == core(eq.inputs[0].type.shape)
    return changed(eq, Broadcast, x, shape=shape) if fits else None


def broadcast_without_repeat(d: Rewriting, eq: Equation) -> Equation | None:
    """A broadcast to as many elements repeats nothing: it only puts ones in front."""
    x, shape = eq.inputs[0], tuple(eq.params["shape"])
    return changed(eq, Reshape, x, shape=shape) if core(x.type.shape) == core(shape) else None


def broadcast_of_number(d: Rewriting, eq: Equation) -> Equation | None:
    """A literal number is repeated from no dimensions: one form, so that equal ones are found."""
    x = eq.inputs[0]
    array = d.literals.get(x)
    if array is None or array.size != 1 or not array.ndim:
        return None
    return changed(eq, Broadcast, d.literal(array.reshape(()).copy()), **eq.params)


def move_one_repeated(d: Rewriting, eq: Equation) -> Equation | None:
    """Elements that are all the same one may be arranged in any way."""
    inner = d.made_by(eq.inputs[0], Broadcast)
    if inner is None or not single(inner.inputs[0]):
        return None
    x, shape = inner.inputs[0], eq.outputs[0].type.shape
    if len(x.type.shape) > len(shape):
        x = d.put(eq, Reshape, x, shape=())
    return changed(eq, Broadcast, x, shape=shape)


def permute_twice(d: Rewriting, eq: Equation) -> Equation | None:
    """One order after the other is again an order."""
    inner = d.made_by(eq.inputs[0], Permute)
    if inner is None:
        return None
    before = inner.params["dims"]
    return changed(eq, Permute, inner.inputs[0], dims=tuple(before[k] for k in eq.params["dims"]))


def permute_ones(d: Rewriting, eq: Equation) -> Var | Equation | None:
    """Where only dimensions of size 1 change places the order of the elements stays."""
    x, dims = eq.inputs[0], eq.params["dims"]
    moved = [k for k in dims if x.type.shape[k] != 1]
    if moved != sorted(moved):
        return None
    same = x.type.shape == eq.outputs[0].type.shape
    return x if same else changed(eq, Reshape, x, shape=eq.outputs[0].type.shape)


def slice_or_place_all(d: Rewriting, eq: Equation) -> Var | None:
    """A slice of everything, and a value put over everything, is the value."""
    x = eq.inputs[0]
    same = x.type.shape == eq.outputs[0].type.shape
    return x if same and all(a == 0 and s == 1 for a, _, s in eq.params["index"]) else None


def slice_twice(d: Rewriting, eq: Equation) -> Equation | None:
    """Every s-th of every t-th element is every (s·t)-th; a slice without elements stays."""
    inner = d.made_by(eq.inputs[0], Slice)
    if inner is None or not size(eq.outputs[0].type.shape):
        return None
    index = _composed(inner.params["index"], eq.params["index"], eq.outputs[0].type.shape)
    return changed(eq, Slice, inner.inputs[0], index=index)


def place_twice(d: Rewriting, eq: Equation) -> Equation | None:
    """What is put into zeros that are put into zeros; a place without elements stays."""
    inner = d.made_by(eq.inputs[0], Place)
    if inner is None or not size(inner.inputs[0].type.shape):
        return None
    x = inner.inputs[0]
    index = _composed(eq.params["index"], inner.params["index"], x.type.shape)
    return changed(eq, Place, x, shape=eq.params["shape"], index=index)


def _composed(outer: Steps, inner: Steps, shape: Shape) -> Steps:
    """Slice ``inner`` of slice ``outer``, with ``shape`` elements in the end."""
    out = []
    for (a, _, s), (b, _, t), n in zip(outer, inner, shape, strict=True):
        start, step = a + b * s, s * t
        out.append((start, start + (n - 1) * step + 1, step))
    return tuple(out)


def slice_of_place(d: Rewriting, eq: Equation) -> Var | None:
    """What was put at a place is read from there again."""
    inner = d.made_by(eq.inputs[0], Place)
    same = inner and tuple(inner.params["index"]) == tuple(eq.params["index"])
    return inner.inputs[0] if inner and same else None


def slice_of_cat(d: Rewriting, eq: Equation) -> Equation | None:
    """A slice that lies in one piece is a slice of that piece."""
    inner = d.made_by(eq.inputs[0], Cat)
    if inner is None or not size(eq.outputs[0].type.shape):
        return None
    dim, index = inner.params["dim"], list(eq.params["index"])
    a, _, s = index[dim]
    last = a + (eq.outputs[0].type.shape[dim] - 1) * s
    start = 0
    for x in inner.inputs:
        n = x.type.shape[dim]
        if start <= a and last < start + n:
            index[dim] = (a - start, last - start + 1, s)
            return changed(eq, Slice, x, index=tuple(index))
        start += n
    return None


def cat_one(d: Rewriting, eq: Equation) -> Var | None:
    """One piece is the whole."""
    return eq.inputs[0] if len(eq.inputs) == 1 else None


def cat_of_slices(d: Rewriting, eq: Equation) -> Equation | None:
    """Neighbouring slices of one tensor, one after the other, are one slice."""
    dim = eq.params["dim"]
    made = [d.made_by(v, Slice) for v in eq.inputs]
    first = made[0]
    if first is None:
        return None
    index, stop = list(first.params["index"]), first.params["index"][dim][0]
    for m in made:
        if m is None or m.inputs[0] is not first.inputs[0]:
            return None
        a, b, s = m.params["index"][dim]
        rest = [x for k, x in enumerate(m.params["index"]) if k != dim]
        if a != stop or s != 1 or rest != [x for k, x in enumerate(index) if k != dim]:
            return None
        stop = b
    index[dim] = (index[dim][0], stop, 1)
    return changed(eq, Slice, first.inputs[0], index=tuple(index))


def flip_nothing(d: Rewriting, eq: Equation) -> Var | None:
    """One element backwards is itself."""
    x = eq.inputs[0]
    return x if all(x.type.shape[k] <= 1 for k in eq.params["dims"]) else None


def flip_twice(d: Rewriting, eq: Equation) -> Var | None:
    """Backwards and backwards again."""
    inner = d.made_by(eq.inputs[0], Flip)
    same = inner and sorted(inner.params["dims"]) == sorted(eq.params["dims"])
    return inner.inputs[0] if inner and same else None


def sum_of_ones(d: Rewriting, eq: Equation) -> Equation | None:
    """A sum of one element is 0 + x: x itself, but 0.0 for -0.0, as a sum begins with 0.0."""
    x, shape = eq.inputs[0], eq.outputs[0].type.shape
    if math.prod(x.type.shape[k] for k in eq.params["dim"]) != 1:
        return None
    if x.type.dtype.is_floating_point and not never_negative_zero(d, x):
        zero = repeat(d, eq._replace(outputs=(x,)), np.array(0, x.type.dtype.numpy))
        x = d.put(eq, Add, x, zero)
    return changed(eq, Reshape, x, shape=shape)


def product_of_ones(d: Rewriting, eq: Equation) -> Equation | None:
    """A product of one element is 1·x = x."""
    x = eq.inputs[0]
    if math.prod(x.type.shape[k] for k in eq.params["dim"]) != 1:
        return None
    return changed(eq, Reshape, x, shape=eq.outputs[0].type.shape)


def multiply_transposed(d: Rewriting, eq: Equation) -> Equation | None:
    """A transposed operand is a flag of the product, which reads the same elements in the same order."""
    inputs, flags = list(eq.inputs), [eq.params["ta"], eq.params["tb"]]
    for k, v in enumerate(inputs):
        inner = d.made_by(v, Permute)
        if inner is not None:
            rank = len(v.type.shape)
            if tuple(inner.params["dims"]) == (*range(rank - 2), rank - 1, rank - 2):
                inputs[k], flags[k] = inner.inputs[0], not flags[k]
    if tuple(inputs) == eq.inputs:
        return None
    return changed(eq, Matmul, *inputs, ta=flags[0], tb=flags[1])


RULES: dict[type[Op], tuple[Rule, ...]] = {
    Reshape: (keep_shape, reshape_twice, move_one_repeated),
    Broadcast: (
        keep_shape,
        broadcast_without_repeat,
        broadcast_twice,
        broadcast_of_reshape,
        broadcast_of_number,
    ),
    Permute: (permute_ones, permute_twice, move_one_repeated),
    Slice: (slice_or_place_all, slice_twice, slice_of_place, slice_of_cat, move_one_repeated),
    Place: (slice_or_place_all, place_twice),
    Cat: (cat_one, cat_of_slices),
    Flip: (flip_nothing, flip_twice, move_one_repeated),
    Sum: (sum_of_ones,),
    Prod: (product_of_ones,),
    Matmul: (multiply_transposed,),
}
