"""A name that contradicts its code goes to a person; another spelling of the same name does not."""

import pytest

from services.ordering.domain.names import contradicts

SAME = [
    ("METFORMINE TABLET 500MG", "Metformine tablet 500 mg"),
    ("Metformine 500 mg tablet", "Metformine tablet 500 mg"),
    ("metformine 0,5 g tabl.", "Metformine tablet 500 mg"),
    ("Metformine 500", "Metformine tablet 500 mg"),
    ("Metformine", "Metformine tablet 500 mg"),
    ("Metformine 500 mg filmomhulde tabletten", "Metformine tablet filmomhuld 500 mg"),
    ("Nitrofurantoine caps mga 100 mg", "Nitrofurantoïne capsule mga 100 mg"),
    ("Salbutamol aerosol 100mcg/do", "Salbutamol aerosol 100 microgram/dosis"),
    ("Hydrochloorthiazide 12.5 mg", "Hydrochloorthiazide tablet 12,5 mg"),
    ("Metoprolol 50 mg", "Metoprololsuccinaat tablet mga 50 mg"),
    ("Levothyroxine 0,075 mg", "Levothyroxine tablet 75 microgram"),
    ("Losartan/hctz 50/12,5", "Losartan/HCTZ tablet 50/12,5 mg"),
    ("Insuline 100 E/ml", "Insuline glargine injvlst 100 eenheden/ml"),
    ("Vitamine B12 1000 mcg", "Vitamine B12 tablet 1 mg"),
]

OTHER = [
    ("Oxycodon tablet mga 80 mg", "Metformine tablet 500 mg"),
    ("Metformine 850 mg", "Metformine tablet 500 mg"),
    ("Levothyroxine 75 mg", "Levothyroxine tablet 75 microgram"),
    ("Prednison 5 mg", "Prednisolon tablet 5 mg"),
    ("Vitamine K", "Vitamine D druppels"),
    ("Vitamine B1", "Vitamine B12 tablet"),
    ("Losartan/hydrochloorthiazide 50/12,5", "Losartan tablet 50 mg"),
    ("Losartan 50 mg", "Losartan/hydrochloorthiazide tablet 100/25 mg"),
    ("Omeprazol", "Esomeprazol"),
    ("Esketamine", "Ketamine"),
    ("Insuline 300 E/ml", "Insuline glargine injvlst 100 E/ml"),
    ("Paracetamol drank", "Paracetamol tablet 500 mg"),
    ("500 mg", "Metformine tablet 500 mg"),
    ("***", "Metformine tablet 500 mg"),
]


@pytest.mark.parametrize(("ordered", "listed"), SAME)
def test_another_spelling_is_the_same_medicine(ordered: str, listed: str) -> None:
    assert not contradicts(ordered, listed)


@pytest.mark.parametrize(("ordered", "listed"), OTHER)
def test_another_word_or_number_contradicts(ordered: str, listed: str) -> None:
    assert contradicts(ordered, listed)


@pytest.mark.parametrize("name", ["*** 1", "½ ml", "💊"])
def test_a_name_never_contradicts_itself(name: str) -> None:
    assert not contradicts(name, name)
