"""Who can stand in for what, where each person counts once."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def matching(able: Mapping[str, Collection[str]], places: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """As many places as can be filled, each person in one.

    Source: Kuhn, The Hungarian method for the assignment problem (1955): augmenting paths in a bipartite graph.

    Args:
        able: Roles that each person can act in, by person; earlier people keep their places.
        places: How many people each role needs.

    Returns:
        People by role; every role is there, with fewer people than it needs where there are not enough.
    """
    taken: dict[str, list[str]] = {role: [] for role in places}

    def place(person: str, tried: set[str]) -> bool:
        for role in places:
            if role in tried or role not in able[person]:
                continue
            tried.add(role)
            if len(taken[role]) < places[role]:
                taken[role].append(person)
                return True
            for number, other in enumerate(taken[role]):
                if place(other, tried):
                    taken[role][number] = person
                    return True
        return False

    for person in able:
        place(person, set())
    return {role: tuple(people) for role, people in taken.items()}
