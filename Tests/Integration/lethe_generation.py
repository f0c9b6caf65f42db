"""Generations of a tenant's keys (Docs/Format.md, sections 4.3 and 4.10), for lethe_format.py."""
from lethe_primitives import stream


class Generation:
    """Section 4.2: what events of one generation of a tenant are sealed under, from whatever copies."""

    def __init__(self, data_secret):
        self.data_secret = data_secret
        self.covers = {}  # (class, unit) -> {(depth, prefix, seed)}
        self.seeds = {}   # of positions: (level, first `level` digits) -> seeds

    def period_key(self, number, unit, index):
        total = 16 if unit == 0 else 20
        for depth, prefix, seed in self.covers.get((number, unit), ()):
            if index >> (total - depth) != prefix:
                continue
            for level in range(total - depth - 1, -1, -1):
                halves = stream(seed, 64)
                seed = halves[32:] if index >> level & 1 else halves[:32]
            return seed
        return None

    def position_leaves(self, position):
        """Every leaf of a position that follows from a seed (section 4.3)."""
        for level in range(13):
            for seed in self.seeds.get((level, position >> (4 * (12 - level))), ()):
                yield self._descend(seed, level, position)

    @staticmethod
    def _descend(node, depth, position, cache={}):
        for level in range(11 - depth, -1, -1):
            digit = position >> (4 * level) & 15
            children = cache.get(node)
            if children is None:
                if len(cache) > 4096:
                    cache.clear()
                children = cache[node] = stream(node, 512)
            node = children[digit * 32:digit * 32 + 32]
        return node
