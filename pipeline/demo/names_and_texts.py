"""Names of people and companies, and messages, in three languages; nobody real is meant.

First names are a woman's and a man's in turn.
"""

FIRST_NAMES = {
    "es": "Lucía Martín Sofía Hugo María Pablo Carmen Javier Elena Andrés Valentina Mateo Camila "
    "Diego Paula Álvaro Daniela Sergio Laura Raúl Isabel Tomás Marta Nicolás Julia Iván Rocío "
    "Joaquín Beatriz Emilio",
    "en": "Emma Liam Olivia Noah Grace James Chloe Jack Sarah Thomas Emily Ryan Hannah Oliver "
    "Megan Patrick Alice Connor Rachel Daniel Laura Ethan Claire Sean Amelia George Nora Lucas "
    "Sophie Henry",
    "fr": "Camille Louis Léa Gabriel Manon Jules Chloé Arthur Inès Hugo Juliette Antoine Élise "
    "Mathieu Clara Nicolas Anaïs Julien Pauline Thibault Margaux Benoît Sandrine Olivier Aurélie "
    "François Céline Damien Sylvie Bastien",
}
LAST_NAMES = {
    "es": "García Martínez López Sánchez Romero Fernández Navarro Torres Domínguez Vargas Ramos "
    "Gil Serrano Molina Ortega Delgado Castro Rubio Iglesias Medina Fuentes Carrasco Reyes Herrera "
    "Aguilar Rojas Muñoz Paredes Salazar Cabrera Núñez Soto Ibáñez Lozano Bravo Pascual",
    "en": "Smith Walker Murphy Johnson Bennett Clarke Foster Reed Hughes Mitchell Parker Sullivan "
    "Turner Brooks Byrne Cooper Evans Fisher Graham Harrison Jenkins Kelly Lawson Morgan Nolan "
    "Palmer Quinn Russell Spencer Taylor Watson Young Barrett Dawson Ellis Hayes",
    "fr": "Martin Bernard Dubois Moreau Laurent Lefèvre Girard Rousseau Fontaine Chevalier Lambert "
    "Mercier Blanc Guérin Boyer Garnier Faure Perrin Morin Renaud Marchand Dumas Leroux Vidal "
    "Colin Besson Picard Gaillard Aubert Roche Barbier Lemoine Carpentier Masson Brunet Noël",
}
COMPANY_ROOTS = (
    "Alba Norte Solaria Mistral Atlas Cumbre Delta Horizon Lumen Nexo Orion Prisma Quanta Ribera "
    "Sierra Terra Umbra Vector Zenit Boreal Cobalt Dune Ember Falcon Granite Harbor Indigo Juniper "
    "Kestrel Larch Meridian Nimbus Opal Pinnacle Quartz Raven Summit Tundra Vertex Willow Aurora "
    "Bravura Castor Dorado Estrella Fontana Galena Helios Iberica Jade Koral Levante Marina Noria "
    "Olivar Palma Roble Salina Tejada Ventura"
).split()
COMPANY_KINDS = {
    "es": "Sistemas Grupo Consultores Digital Servicios Soluciones Proyectos Gestión Ibérica",
    "en": "Systems Group Partners Digital Services Solutions Associates Works International",
    "fr": "Systèmes Groupe Conseil Numérique Services Solutions Partenaires Associés Conseils",
}
LEGAL_FORMS = {
    "ES": ("", " S.L.", " S.A.", " SLU"),
    "MX": ("", " S.A. de C.V.", " S.A. de C.V.", " S.A."),
    "AR": ("", " S.A.", " S.R.L.", " S.A."),
    "CO": ("", " S.A.S.", " S.A.S.", " Ltda."),
    "CL": ("", " SpA", " Ltda.", " S.A."),
    "FR": ("", " SARL", " SAS", " S.A."),
    "US": ("", " Inc.", " LLC", " Inc."),
    "GB": ("", " Ltd", " Ltd", " plc"),
    "IE": ("", " Ltd", " Ltd", ""),
}
"""Four for each country."""
FREE_MAIL = {
    "es": ("gmail.com", "gmail.com", "hotmail.com", "yahoo.es", "outlook.com"),
    "en": ("gmail.com", "gmail.com", "yahoo.com", "outlook.com", "icloud.com"),
    "fr": ("gmail.com", "gmail.com", "orange.fr", "laposte.net", "hotmail.fr"),
}
DISPOSABLE_MAIL = (
    "mailinator.com", "yopmail.com", "guerrillamail.com", "10minutemail.com", "trashmail.com",
)  # fmt: skip
ROLE_MAIL = {
    "es": ("info", "ventas", "contacto", "administracion"),
    "en": ("info", "sales", "contact", "office"),
    "fr": ("info", "contact", "ventes", "accueil"),
}
SHORT_MESSAGES = {
    "es": {
        "price": ("¿Qué precio tiene?", "Quisiera un presupuesto por favor."),
        "demo": ("¿Podemos ver una demo?", "Nos gustaría una demostración."),
        "information": ("Quisiera más información.", "Envíenme el folleto por favor."),
        "support": ("No puedo entrar en mi cuenta.", "Tengo un problema con la factura."),
        "other": ("Hola a todos.", "Busco una colaboración."),
    },
    "en": {
        "price": ("What does it cost?", "Please send me a quote."),
        "demo": ("Can we see a demo?", "We would like a demonstration."),
        "information": ("I would like more information.", "Please send me the brochure."),
        "support": ("I cannot log in to my account.", "There is a problem with my invoice."),
        "other": ("Hello everybody.", "I am looking for a partnership."),
    },
    "fr": {
        "price": ("Quel est le prix ?", "Pourriez-vous m'envoyer un devis ?"),
        "demo": ("Pouvons-nous voir une démo ?", "Nous voudrions une démonstration."),
        "information": ("Je voudrais plus d'informations.", "Envoyez-moi la brochure."),
        "support": ("Je ne peux pas me connecter.", "Il y a un problème avec ma facture."),
        "other": ("Bonjour à tous.", "Je cherche un partenariat."),
    },
}
LONG_MESSAGES = {
    "es": (
        " Somos un equipo que crece y hoy lo llevamos todo con hojas de cálculo.",
        " Queremos empezar este trimestre y ya tenemos el presupuesto aprobado.",
    ),
    "en": (
        " We are a growing team and today we do all of this with spreadsheets.",
        " We want to start this quarter and our budget has been approved already.",
    ),
    "fr": (
        " Nous sommes une équipe qui grandit et nous faisons tout cela avec des tableurs.",
        " Nous voulons commencer ce trimestre et notre budget est déjà approuvé.",
    ),
}
SPAM_NAMES = (
    "asdfgh", "qwerty", "zxcvbn", "asdfghjkl", "qwertyuiop", "fghjkl", "xkjqzt", "bvtrgw", "wqzxkj",
    "hgtrpwq", "dfkjgq", "zzkrtx", "user1234", "test99", "anna2024", "x123x", "buy7now", "promo55",
)  # fmt: skip
SPAM_COMPANIES = (
    "asdfgh",
    "qwertz",
    "xkcvbq",
    "seo4u",
    "zxcvbnm",
    "best prices",
    "wrtklp",
    "abc123",
)
SPAM_PHONES = ("000", "abc", "1", "n/a", "xxx-xxx", "12")
SPAM_MESSAGES = (
    "cheap followers http://best-followers.example http://cheap.example/now",
    "rank first on every search http://seo-now.example click http://seo-now.example/go",
    "you won http://prize.example/claim http://prize.example/now hurry",
    "fghjkl http://x.example",
)
