"""Finds the group of medicines that counts for a medicine, in the list that counts for its practice."""

from collections.abc import Mapping

from schemas.records.medicines import NATIONAL, MedicineGroup, MedicineList

_LENGTHS = (7, 5, 4, 3, 1)
"""Characters of a code of the ATC, and of the groups that it is in: the narrowest first."""


class MedicineGroups:
    """The groups of one list, by ATC prefix."""

    def __init__(self, list_: MedicineList) -> None:
        self.list = list_
        self._by_prefix = {prefix: group for group in list_.groups for prefix in group.atc}

    def find(self, atc: str, prk: str) -> MedicineGroup | None:
        """Find the group with the longest prefix of `atc`, among those that do not except this PRK code."""
        for length in _LENGTHS:
            group = self._by_prefix.get(atc[:length])
            if group is not None and prk not in group.except_prk:
                return group
        return None


class MedicineLists:
    """The lists of a global table, whose rows change in place. Each list is indexed once."""

    def __init__(self, rows: Mapping[str, MedicineList]) -> None:
        self._rows = rows
        self._indexed: dict[str, MedicineGroups] = {}

    def of(self, region: str) -> MedicineGroups | None:
        """The groups for practices of this region: of its own list, otherwise of the national one."""
        row = self._rows.get(region) or self._rows.get(NATIONAL)
        if row is None:
            return None
        groups = self._indexed.get(row.name)
        if groups is None or groups.list is not row:
            groups = self._indexed[row.name] = MedicineGroups(row)
        return groups


def group_of(groups: MedicineGroups | None, atc: str | None, prk: str) -> MedicineGroup | None:
    """The group that counts for a medicine. None without a code, without a list, or in no group."""
    return groups.find(atc, prk) if atc is not None and groups is not None else None
