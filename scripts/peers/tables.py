# SPDX-License-Identifier: Apache-2.0
"""Contestants take turns, and a table of their medians."""
import statistics
import sys


def print_table(title, unit, figures):
    """figures: name -> those of its rounds, the less the better; the first is ours."""
    rounds = len(next(iter(figures.values())))
    ours = statistics.median(next(iter(figures.values())))
    print(f"\n{title} ({unit}, medians of {rounds} rounds)\n\n| | median | least | most | ratio to the first |\n| --- | --- | --- | --- | --- |")
    for name, values in figures.items():
        median = statistics.median(values)
        print(f"| {name} | {median:.4g} | {min(values):.4g} | {max(values):.4g} | {median / ours:.2f} |", flush=True)


def take_turns(title, unit, contestants, rounds):
    """contestants: name -> function() -> a round's figure. Returns name -> figures."""
    figures = {name: [] for name in contestants}
    for index in range(rounds):
        for name, run in contestants.items():
            figures[name].append(run())
            print(f"\r{title}: round {index + 1} of {rounds}, {name} {figures[name][-1]:.4g} {unit}\033[K", end="", file=sys.stderr, flush=True)
    print("\r\033[K", end="", file=sys.stderr, flush=True)
    return figures


def compare(title, unit, contestants, rounds):
    print_table(title, unit, take_turns(title, unit, contestants, rounds))


def compare_steps(title, contestants, steps, rounds):
    """contestants: name -> function(steps) -> a round's seconds. steps: two numbers of them, so that a step is told from what does not grow with
    their number: start, text, decoding, end."""
    few, many = steps
    turns = {f"{name}, {count} steps": (lambda run=run, count=count: run(count)) for count in steps for name, run in contestants.items()}
    taken = take_turns(title, "s", turns, rounds)
    figures = {count: {name: taken[f"{name}, {count} steps"] for name in contestants} for count in steps}
    step = {name: [(more - less) / (many - few) for less, more in zip(figures[few][name], figures[many][name])] for name in contestants}
    for count in steps:
        print_table(f"{title}, {count} steps", "s", figures[count])
    print_table(f"{title}, a step", "s", step)
    rest = {name: [less - few * one for less, one in zip(figures[few][name], step[name])] for name in contestants}
    print_table(f"{title}, all but the steps", "s", rest)
