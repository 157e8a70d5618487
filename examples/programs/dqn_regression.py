"""What is a move worth?  Q-values learnt from remembered moves, as in deep Q-learning (Mnih and others 2015).

    python examples/programs/dqn_regression.py

A walker on a 5 x 5 field looks for the exit and avoids the pits.  Nobody shows it the rules: it has 4,000 remembered
moves made at random.  The net regresses Q(s, a) on r + γ max Q'(s', ·), Q' being an older copy of itself.
"""

import numpy as np

import retrograd as torch
from retrograd import nn, optim

SIZE, EXIT, PITS = 5, (4, 4), {(1, 1), (3, 2), (1, 3)}
MOVES = [(-1, 0), (1, 0), (0, -1), (0, 1)]
ARROWS = "↑↓←→"
GAMMA = 0.9


def move(place, action):
    """(next place, reward, is it over?)"""
    there = tuple(min(max(place[k] + MOVES[action][k], 0), SIZE - 1) for k in (0, 1))
    if there == EXIT:
        return there, 1.0, True
    return (there, -1.0, True) if there in PITS else (there, -0.04, False)


def remembered(random, moves=4000):
    """(state, action, reward, next state, over), each an array; a state is the number of a field."""
    free = [(i, j) for i in range(SIZE) for j in range(SIZE) if (i, j) != EXIT and (i, j) not in PITS]
    rows = []
    for _ in range(moves):
        place, action = free[random.integers(len(free))], int(random.integers(4))
        there, reward, over = move(place, action)
        rows.append((place[0] * SIZE + place[1], action, reward, there[0] * SIZE + there[1], over))
    state, action, reward, after, over = zip(*rows)
    numbers = torch.tensor([state, action, after])
    return numbers[0], numbers[1], torch.tensor(reward), numbers[2], torch.tensor(over)


def network(random):
    net = nn.Sequential(nn.Linear(SIZE * SIZE, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 4))
    with torch.no_grad():
        for p in net.parameters():
            spread = p.shape[1] ** -0.5 if p.ndim == 2 else 0.01
            p.copy_(torch.from_numpy(random.normal(0, spread, tuple(p.shape))))
    return net


def seen(state):
    return nn.functional.one_hot(state, SIZE * SIZE).float()


def main(steps=1500, batch=64):
    random = np.random.default_rng(0)
    state, action, reward, after, over = remembered(random)
    q, target = network(random), network(random)
    target.load_state_dict(q.state_dict())
    optimizer = optim.RMSprop(q.parameters(), lr=5e-3, alpha=0.95, eps=0.01)
    loss_fn = nn.SmoothL1Loss(beta=0.5)
    losses = []
    for step in range(1, steps + 1):
        k = torch.from_numpy(random.integers(0, len(state), batch))
        value = q(seen(state[k])).gather(1, action[k].unsqueeze(1)).squeeze(1)
        with torch.no_grad():
            best = target(seen(after[k])).max(dim=1).values
            wanted = reward[k] + GAMMA * torch.where(over[k], torch.zeros_like(best), best)
        loss = loss_fn(value, wanted)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(q.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if step % 50 == 0:
            target.load_state_dict(q.state_dict())
        if step % 250 == 0:
            print(f"step {step:4d}  loss {np.mean(losses[-250:]):.5f}")
    best = q(seen(torch.arange(SIZE * SIZE))).argmax(dim=1).reshape(SIZE, SIZE).tolist()
    print("the best move from every field (o: pit, X: exit):")
    for i, line in enumerate(best):
        signs = ("X" if (i, j) == EXIT else "o" if (i, j) in PITS else ARROWS[a] for j, a in enumerate(line))
        print("   ", " ".join(signs))
    return losses


if __name__ == "__main__":
    main()
