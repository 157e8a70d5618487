"""Backpropagation, and nothing else: how a network finds out which of its numbers to change, and by how much.

A network is a long formula.  Numbers go in, a few of them are *weights* that nobody knows yet, and one number comes
out: the *loss*, which says how wrong the answer is.  We want, for every weight, its *gradient*: if this weight grew by a
tiny bit, how many times that bit would the loss grow?  Then we move each weight a little the other way, and repeat.

The formula is built from steps so small that each is understood: an addition, a product, an exponential.  For one small
step anybody can say how its result answers to its inputs.  In c = a · b, for instance: if a grows by a tiny bit, c grows
by b times that bit.  That is the *local* answer.

The *chain rule* joins local answers.  If the loss grows 5 times as fast as c, and c grows b times as fast as a, then the
loss grows 5 · b times as fast as a, as far as the path through c goes.  Where a number is used in several places, its
influences travel on several paths, and they *add up*: that is the `+=` below, and forgetting it is the classic mistake.

So: first compute forwards and write down who was made from whom.  Then walk backwards from the loss, once, and hand each
number's gradient on to the numbers it was made from.  One walk gives the gradients of all weights, be they two or two
billion.  This walk is called *backpropagation* (Rumelhart, Hinton and Williams 1986).
"""

import math
import random


class Value:
    """A number that remembers how it was made.

    `data` is the number, `grad` the gradient: how fast the loss grows with it.  `made_from` are the numbers it was
    computed from, and `hand_back` is the chain rule for that one small step.
    """

    def __init__(self, data, made_from=()):
        self.data = data
        self.grad = 0.0
        self.made_from = made_from
        self.hand_back = lambda: None  # a number that was not computed has nobody to hand anything to

    def _step(self, data, *slopes):
        """A new number, from inputs each of which comes with its slope: how fast the new number grows with it."""
        out = Value(data, tuple(value for value, _ in slopes))

        def hand_back():
            for value, slope in slopes:
                value.grad += slope * out.grad  # the chain rule; += because other paths may add their share

        out.hand_back = hand_back
        return out

    # The small steps, each with its slopes.

    def __add__(self, other):
        other = as_value(other)
        return self._step(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = as_value(other)
        return self._step(self.data * other.data, (self, other.data), (other, self.data))

    def __pow__(self, power):
        return self._step(self.data**power, (self, power * self.data ** (power - 1)))

    def exp(self):
        y = math.exp(self.data)
        return self._step(y, (self, y))  # the exponential is its own slope

    def log(self):
        return self._step(math.log(self.data), (self, 1 / self.data))

    def tanh(self):
        y = math.tanh(self.data)
        return self._step(y, (self, 1 - y * y))

    def relu(self):
        return self._step(max(0.0, self.data), (self, 1.0 if self.data > 0 else 0.0))

    # Everything else is made of these.

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -as_value(other)

    def __truediv__(self, other):
        return self * as_value(other) ** -1.0

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        """Fill in `grad` for this number (the loss) and every number it was made from."""
        order = in_order(self)
        for value in order:
            value.grad = 0.0
        self.grad = 1.0  # the loss grows exactly as fast as itself
        for value in reversed(order):
            value.hand_back()


def as_value(number):
    return number if isinstance(number, Value) else Value(number)


def in_order(last):
    """All numbers that `last` was made from, and itself, each after the numbers it was made from.

    Walked from its end, this list never hands a gradient on before all of that gradient has arrived.  (Mathematicians
    call it a topological order.  It is found with a pile of things to do, since a deep formula would be too much for
    functions that call themselves.)
    """
    order = []
    seen = set()
    to_do = [(last, False)]
    while to_do:
        value, inputs_done = to_do.pop()
        if inputs_done:
            order.append(value)
        elif id(value) not in seen:
            seen.add(id(value))
            to_do.append((value, True))
            to_do.extend((source, False) for source in value.made_from)
    return order


def network(layers, inputs):
    """One output.  A layer is a list of units; a unit is its weights, one for each input, and its bias at the end."""
    signals = [as_value(x) for x in inputs]
    for layer in layers:
        sums = [sum((w * s for w, s in zip(unit, signals)), unit[-1]) for unit in layer]
        signals = sums if layer is layers[-1] else [total.tanh() for total in sums]
    return signals[0]


if __name__ == "__main__":
    random.seed(0)
    examples = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]  # one or the other, but not both
    hidden = [
        [Value(random.uniform(-1, 1)) for _ in range(3)] for _ in range(4)
    ]  # four units with two inputs
    output = [[Value(random.uniform(-1, 1)) for _ in range(5)]]  # one unit with four inputs
    weights = [weight for unit in hidden + output for weight in unit]
    for step in range(301):
        answers = [network([hidden, output], inputs) for inputs, _ in examples]
        loss = sum((answer - wanted) ** 2 for answer, (_, wanted) in zip(answers, examples)) / 4
        loss.backward()
        for weight in weights:
            weight.data -= 0.5 * weight.grad  # downhill
        if step % 50 == 0:
            print(f"step {step:3d}  loss {loss.data:.5f}  answers", *(f"{a.data:.2f}" for a in answers))
