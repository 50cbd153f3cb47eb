"""Job titles as people type them in three languages, made of a seniority and a function."""

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

LEVELS = (
    "owner", "executive", "director", "manager", "senior", "staff", "junior", "student",
    "not_working",
)  # fmt: skip
FUNCTIONS = (
    "management", "sales", "marketing", "finance", "people", "technology", "engineering",
    "operations", "product", "design", "legal", "support", "other",
)  # fmt: skip
LANGUAGES = ("es", "en", "fr")

_AREAS = {
    "es": {
        "sales": ("Ventas",),
        "marketing": ("Marketing", "Marketing Digital"),
        "finance": ("Finanzas", "Contabilidad"),
        "people": ("Recursos Humanos", "RRHH"),
        "technology": ("Sistemas", "IT", "Informática"),
        "engineering": ("Ingeniería",),
        "operations": ("Operaciones", "Logística", "Compras"),
        "product": ("Producto",),
        "design": ("Diseño",),
        "legal": ("Asesoría Jurídica",),
        "support": ("Atención al Cliente",),
    },
    "en": {
        "sales": ("Sales", "Business Development"),
        "marketing": ("Marketing", "Digital Marketing"),
        "finance": ("Finance", "Accounting"),
        "people": ("Human Resources", "HR"),
        "technology": ("IT", "Information Technology"),
        "engineering": ("Engineering",),
        "operations": ("Operations", "Logistics", "Procurement"),
        "product": ("Product",),
        "design": ("Design",),
        "legal": ("Legal",),
        "support": ("Customer Support", "Customer Service"),
    },
    "fr": {
        "sales": ("Ventes", "Développement Commercial"),
        "marketing": ("Marketing", "Communication"),
        "finance": ("Finance", "Comptabilité"),
        "people": ("Ressources Humaines", "RH"),
        "technology": ("Informatique", "Systèmes d'Information"),
        "engineering": ("Ingénierie",),
        "operations": ("Opérations", "Logistique", "Achats"),
        "product": ("Produit",),
        "design": ("Design",),
        "legal": ("Juridique",),
        "support": ("Service Client",),
    },
}
_ROLES = {
    "es": {
        "sales": ("Comercial", "Asesora de Ventas"),
        "marketing": ("Técnico de Marketing", "Técnica de Marketing"),
        "finance": ("Contable", "Analista Financiero"),
        "people": ("Técnica de RRHH", "Técnico de Selección"),
        "technology": ("Desarrollador", "Programadora", "Administrador de Sistemas"),
        "engineering": ("Ingeniero Industrial", "Ingeniera"),
        "operations": ("Técnico de Logística", "Comprador"),
        "product": ("Analista de Producto",),
        "design": ("Diseñadora", "Diseñador Gráfico"),
        "legal": ("Abogado", "Abogada"),
        "support": ("Agente de Atención al Cliente",),
    },
    "en": {
        "sales": ("Sales Advisor", "Sales Representative"),
        "marketing": ("Marketing Specialist", "Marketing Analyst"),
        "finance": ("Accountant", "Financial Analyst"),
        "people": ("HR Specialist", "Recruiter"),
        "technology": ("Software Developer", "System Administrator"),
        "engineering": ("Mechanical Engineer", "Civil Engineer"),
        "operations": ("Logistics Specialist", "Buyer"),
        "product": ("Product Analyst",),
        "design": ("Designer", "UX Designer"),
        "legal": ("Lawyer", "Legal Counsel"),
        "support": ("Customer Support Agent",),
    },
    "fr": {
        "sales": ("Commercial", "Commerciale"),
        "marketing": ("Chargée de Marketing", "Chargé de Communication"),
        "finance": ("Comptable", "Analyste Financier"),
        "people": ("Chargée de Recrutement", "Gestionnaire RH"),
        "technology": ("Développeur", "Administrateur Systèmes"),
        "engineering": ("Ingénieur Mécanique", "Ingénieure"),
        "operations": ("Acheteur", "Gestionnaire Logistique"),
        "product": ("Analyste Produit",),
        "design": ("Graphiste", "Designer UX"),
        "legal": ("Juriste", "Avocate"),
        "support": ("Conseiller Service Client",),
    },
}
_PATTERNS = {
    "es": {
        "director": ("Director de {area}", "Directora de {area}", "Dir. de {area}"),
        "manager": ("Responsable de {area}", "Jefe de {area}", "Jefa de {area}", "Resp. {area}"),
        "senior": ("{role} Senior", "{role} Sr."),
        "staff": ("{role}",),
        "junior": ("{role} Junior", "{role} Jr."),
    },
    "en": {
        "director": ("Director of {area}", "{area} Director", "Dir. {area}"),
        "manager": ("{area} Manager", "{area} Mgr", "Manager of {area}"),
        "senior": ("Senior {role}", "Sr. {role}", "Sr {role}"),
        "staff": ("{role}",),
        "junior": ("Junior {role}", "Jr. {role}"),
    },
    "fr": {
        "director": ("Directeur {area}", "Directrice {area}", "Dir. {area}"),
        "manager": ("Responsable {area}", "Resp. {area}", "Chef de service {area}"),
        "senior": ("{role} Senior", "{role} Sénior"),
        "staff": ("{role}",),
        "junior": ("{role} Junior", "{role} Jr."),
    },
}
_WHOLE = {
    "es": {
        ("owner", "management"): ("Propietaria", "Fundador", "Socio Fundador", "Dueño"),
        ("executive", "management"): ("CEO", "Director General", "Directora General"),
        ("executive", "finance"): ("CFO", "Director Financiero (CFO)"),
        ("student", "other"): ("Estudiante", "estudiante universitario"),
        ("not_working", "other"): ("Desempleado", "Jubilada", "En paro"),
    },
    "en": {
        ("owner", "management"): ("Owner", "Founder", "Co-Founder", "Business Owner"),
        ("executive", "management"): ("CEO", "Chief Executive Officer", "President"),
        ("executive", "finance"): ("CFO", "Chief Financial Officer"),
        ("student", "other"): ("Student", "University Student"),
        ("not_working", "other"): ("Unemployed", "Retired"),
    },
    "fr": {
        ("owner", "management"): ("Fondateur", "Gérante", "Fondatrice", "Propriétaire"),
        ("executive", "management"): ("PDG", "Directeur Général", "DG"),
        ("executive", "finance"): ("CFO",),
        ("student", "other"): ("Étudiant", "Étudiante"),
        ("not_working", "other"): ("Retraité", "Sans emploi"),
    },
}  # fmt: skip
_CHIEFS = {
    ("executive", "sales"): ("Chief Sales Officer", "Chief Revenue Officer"),
    ("executive", "marketing"): ("CMO", "Chief Marketing Officer"),
    ("executive", "people"): ("CHRO", "Chief People Officer"),
    ("executive", "technology"): ("CTO", "Chief Technology Officer"),
    ("executive", "operations"): ("COO",),
}

_PAIRS = {
    "es": "Director/Directora Jefe/Jefa Técnico/Técnica Asesor/Asesora Programador/Programadora "
    "Desarrollador/Desarrolladora Administrador/Administradora Ingeniero/Ingeniera "
    "Comprador/Compradora Diseñador/Diseñadora Abogado/Abogada Propietario/Propietaria "
    "Fundador/Fundadora Socio/Socia Dueño/Dueña Desempleado/Desempleada Jubilado/Jubilada "
    "universitario/universitaria Financiero/Financiera Gráfico/Gráfica",
    "en": "",
    "fr": "Directeur/Directrice Chargé/Chargée Développeur/Développeuse Ingénieur/Ingénieure "
    "Administrateur/Administratrice Acheteur/Acheteuse Conseiller/Conseillère Avocat/Avocate "
    "Fondateur/Fondatrice Gérant/Gérante Étudiant/Étudiante Retraité/Retraitée Chef/Cheffe "
    "Financier/Financière Général/Générale",
}
"""A man's word and a woman's, where titles have two."""


@cache
def _words_of(language: str, woman: bool) -> dict[str, str]:
    pairs = [pair.split("/") for pair in _PAIRS[language].split()]
    return {word: pair[woman] for pair in pairs for word in pair}


def _agree(title: str, language: str, woman: bool) -> str:
    """Return a title as a woman or a man bears it."""
    words = _words_of(language, woman)
    if language == "fr" and title.split(" ")[0] in ("Commercial", "Commerciale"):
        title = title.replace("Commerciale", "Commercial").replace(
            "Commercial", "Commerciale" if woman else "Commercial"
        )
    return " ".join(words.get(word, word) for word in title.split(" "))


def _forms(language: str, level: str, function: str) -> tuple[str, ...]:
    whole = _WHOLE[language].get((level, function)) or _CHIEFS.get((level, function))
    if whole is not None:
        return whole
    areas = _AREAS[language].get(function, ())
    roles = _ROLES[language].get(function, ())
    made = (
        pattern.format(area=area, role=role)
        for pattern in _PATTERNS[language].get(level, ())
        for area in areas
        for role in roles
    )
    return tuple(dict.fromkeys(made))


@cache
def _title_table() -> tuple[pa.Array, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return all titles; by language, woman, level, function where they begin; how many."""
    titles: list[str] = []
    shape = (len(LANGUAGES), 2, len(LEVELS), len(FUNCTIONS))
    begin, count = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for place in np.ndindex(shape):
        language = LANGUAGES[place[0]]
        made = _forms(language, LEVELS[place[2]], FUNCTIONS[place[3]])
        forms = tuple(dict.fromkeys(_agree(form, language, bool(place[1])) for form in made))
        begin[place], count[place] = len(titles), len(forms)
        titles += forms
    return pa.array(titles), begin, count


def exists(level: str, function: str) -> bool:
    """Say whether there are titles of this level and function."""
    return bool(_forms("en", level, function))


def write_titles(
    language: npt.NDArray[np.int64],
    woman: npt.NDArray[np.bool_],
    level: npt.NDArray[np.int64],
    function: npt.NDArray[np.int64],
    chance: npt.NDArray[np.float64],
) -> pa.Array:
    """Return a title for each lead, chosen among those of its language, level and function.

    Parameters
    ----------
    language, level, function : int arrays of shape (n,)
        Places in ``LANGUAGES``, ``LEVELS``, ``FUNCTIONS``.
    woman : bool array of shape (n,)
        Whether the title is a woman's, where there are two.
    chance : float array of shape (n,)
        Between 0 and 1: which of the titles.

    Returns
    -------
    Array of n strings
    """
    titles, begin, count = _title_table()
    place = (language, woman.astype(np.int64), level, function)
    return titles.take(pa.array(begin[place] + (chance * count[place]).astype(np.int64)))
