"""The words of job titles that tell a function, in English, Spanish and French.

Words stand without accents, case and stop words (of, de, the ...). Words joined by ``_`` are a
phrase, which is read before its words are.
"""

from leadscore.pipeline.signals.text.title_ranks import SENIORITY

FUNCTION = {
    "sales": """
        vendas sales sale selling commercial commerciale commerciaux comercial comerciales
        ventas venta vente ventes vendedor vendedora vendeur vendeuse business_development
        bizdev biz_dev business_developer desarrollo_negocio developpement_commercial account
        accounts_manager key_account kam grands_comptes cuentas grandes_cuentas clientele
        salesperson salesman saleswoman sdr bdr presales pre_sales avant_vente preventa
        partnership partnerships alliances channel revenue cro cco export asesor_comercial
        visitador tecnico_comercial technico_commercial technico_commerciale secteur_commercial
        retail_sales inside_sales new_business account_executive account_manager ae affaires
        charge_affaires chargee_affaires ingenieur_affaires ingenieure_affaires business_dev
        compte comptes
    """,
    "marketing": """
        marketing mktg mkt mkg mktng communication communications comunicacion comunicaciones
        comms com brand branding marca marque pr public_relations relaciones_publicas
        relations_presse relations_publiques community growth seo sem ppc crm content contenido
        contenidos contenu contenus copywriter social_media redes_sociales reseaux_sociaux
        digital events eventos evenementiel acquisition adquisicion captacion publicidad
        publicite advertising demand_generation lead_generation demand_gen product_marketing
        trade_marketing marketer cmo dircom press prensa presse media medios paid campaign
        campaigns email_marketing influencer referencement traffic trafficker
    """,
    "finance": """
        finance finances financial financier financiere financiero financiera finanzas fin
        accounting accountant accounts_payable accounts_receivable contable contabilidad
        contador contadora comptable comptabilite expert_comptable controller controlling
        controller_financiero controle_gestion controleur_gestion controleuse_gestion
        control_gestion controlleur treasury treasurer tesoreria tesorero tesorera tresorerie
        tresorier tresoriere tax fiscal fiscale fiscalidad impuestos audit auditor auditora
        auditeur auditrice auditoria bookkeeper bookkeeping payroll_accounting cfo daf raf
        credit credito riesgos risk billing facturacion facturation investment investor
        inversiones underwriter actuary banking bank broker trader economist economista
        administrativo_financiero administratif_financier cobros m_a fp_a inversion
        administracion_finanzas directeur_administratif_financier patrimoine patrimonio
    """,
    "people": """
        hr human_resources people talent recruiter recruiting recruitment rrhh rr_hh
        recursos_humanos ressources_humaines rh drh chro personal_rrhh seleccion reclutador
        reclutadora reclutamiento recrutement recruteur recruteuse training formacion formation
        payroll nominas nomina paie learning_development capacitacion capacitador capacitadora
        hrbp employer_branding compensation relaciones_laborales talento humanos
        workplace_culture human_capital capital_humano personnel paye trainer formateur
        formatrice formador formadora gestion_personal jefe_personal
    """,
    "technology": """
        it software developer developpeur developpeuse desarrollador desarrolladora programmer
        programador programadora programmeur data datos donnees database security cybersecurity
        ciberseguridad cybersecurite seguridad_informatica securite_informatique systems
        sistemas systemes system_administrator sysadmin cto cio ciso cdo dsi rssi devops sre
        qa_engineer frontend backend full_stack fullstack front_end back_end web cloud network
        networks redes reseaux reseau informatico informatica informatique informaticien
        informaticienne tech technology tecnologia tecnologias technologie technologies
        technologique ti tic ai ml machine_learning infrastructure infraestructura
        administrador_sistemas scrum_master dba business_intelligence bi help_desk_it
        desarrollo_software developpement_logiciel logiciel logiciels aplicaciones applications
        salesforce sap erp mobile ios android java python solutions_architect software_architect
        enterprise_architect architecte_logiciel architecte_solution founding_engineer_software
        it_support soporte_it soporte_tecnico_informatico computer computing sap_consultant
        telecom telecomunicaciones dev digitalizacion transformacion_digital
        transformation_digitale digital_transformation business_analyst tecnico_informatico
    """,
    "product": """
        product producto productos produit produits product_owner product_manager cpo po
        chef_produit cheffe_produit jefe_producto jefa_producto product_lead
    """,
    "design": """
        design designer disenador disenadora diseno ux ui creative creativo creativa creatif
        creative_director graphic grafico grafica graphiste art_director director_arte
        directora_arte direction_artistique directeur_artistique directrice_artistique
        direccion_arte illustrator ilustrador product_designer interior_designer maquettiste
        concepteur_graphique product_design multimedia artistique
    """,
    "operations": """
        operations operational operaciones ops operation_manager coo logistics logistica
        logistique logisticien logisticienne supply_chain supply warehouse almacen almacenes
        entrepot magasinier production produccion plant planta usine manufacturing fabricacion
        fabrication purchasing procurement compras compra comprador compradora buyer achats
        achat acheteur acheteuse quality calidad qualite qhse qa facilities facility transport
        transporte transports planning planificacion ordonnancement approvisionneur
        approvisionnement approvisionnements sourcing lean fleet flota stock inventory
        exploitation tienda_operaciones dispatcher cadena_suministro aprovisionamiento
        sites_generaux services_generaux servicios_generales almacenista inventario calite
        process procesos expediciones fulfilment fulfillment import hse prl
    """,
    "legal": """
        legal lawyer solicitor attorney counsel paralegal compliance dpo privacy abogado abogada
        juridico juridica law droit derecho asesoria_juridica juridique juriste avocat avocate
        cumplimiento conformite notario notaire procurador legales contracts clo data_protection
        proteccion_datos protection_donnees regulatory asuntos_legales rgpd barrister
    """,
    "support": """
        customer customer_success customer_support customer_service customer_care csm
        client_success support help_desk helpdesk service_desk atencion_cliente
        atencion_clientes servicio_cliente servicio_clientes soporte exito_cliente
        relation_client relations_clients service_client service_clients sav succes_client
        experience_client customer_experience cx experiencia_cliente call_center centro_llamadas
        contact_center centre_appels teleconseiller teleconseillere teleoperador teleoperadora
        client clients postventa posventa support_client support_technique soporte_tecnico
        technical_support support_engineer client_services satisfaccion_cliente clientes cliente
    """,
    "education": """
        student_affairs student_services teacher teaching prof jefe_estudios jefa_estudios
        professor lecturer tutor school headteacher headmaster education educator profesor
        profesora docente maestro maestra educacion colegio escuela academico academica
        enseignant enseignante professeur professeure ecole pedagogique academic faculty
        instituteur institutrice dean decano instructor pedagogia instituto educativo educativa
        director_escuela lycee college formation_professionnelle orientador
    """,
    "research": """
        research researcher scientist science investigador investigadora investigacion recherche
        chercheur chercheuse r_d rd i_d id_i i_d_i cientifico cientifica scientifique laboratory
        laboratorio laboratoire innovation innovacion lab chimiste biologist biologiste
        data_scientist_phd postdoc biologo bioquimico
    """,
    "health": """
        doctor nurse nursing physician surgeon dentist pharmacist medical clinical clinic
        hospital health medico medica enfermero enfermera enfermeria odontologo odontologa
        dentista farmaceutico farmaceutica farmacia clinica sanitario salud medecin infirmier
        infirmiere pharmacien pharmacienne sante kinesitherapeute chirurgien chirurgienne
        veterinario veterinaria vet veterinarian veterinaire psychologist psicologo psicologa
        psychologue paramedic midwife sage_femme fisioterapeuta physiotherapist optician
        therapist radiologist cardiologist cardiologo pediatra soignante soignant aide_soignant
        aide_soignante cirujano cirujana matrona enfermero_jefe kine nutricionista cirugia
        radiologue pediatre cardiologue
    """,
    "engineering": """
        maintenance mantenimiento civil mechanical electrical industrial industrielle industriel
        mecanico mecanica electricista electrician electricien electrico electrique mecanicien
        mecanique chemical architect arquitecto arquitecta architecte construction construccion
        obra obras chantier travaux bureau_etudes ingenieria engineering ingenierie
        process_engineer automation automatizacion automatisme hardware structural electronics
        electronica electronique oficina_tecnica surveyor aeronautico robotics robotica
        conducteur_travaux production_engineer ingeniero_produccion ingeniero_procesos
        quality_engineer topografo environmental energetico energia metodos methodes
    """,
}
"""Words that name a function; the first one in the title counts."""

WEAK_FUNCTION = {
    "technology": "systems_engineer analyst_programmer analista_programador tecnico_sistemas",
    "engineering": """
        engineer ingeniero ingeniera ing ingenieur ingenieure technical tecnico_planta technique
        technician technicien technicienne mechanic
    """,
    "operations": """
        project projects proyecto proyectos projet projets project_manager pmo programme program
        chef_projet cheffe_projet jefe_proyecto jefa_proyecto
    """,
    "administration": SENIORITY["helper"]
    + """
        assistant assistante asst asistente auxiliar secretary secretaria secretario secretaire
        receptionist recepcionista receptionniste administrativo administrativa administrative
        administratif administration administracion admin office oficina officina clerk
        administrativ admon recepcion accueil standardiste helper_office administrator
    """,
    "management": """
        secretary_general assistant_director assistant_manager miembro_consejo_administracion
        membre_conseil_administration conseil_administration consejo_administracion ceo founder
        cofounder co_founder owner co_owner proprietor president presidente presidenta
        managing_director general_manager gm md executive_director director_general
        directora_general director directora directeur directrice direction direccion dueno
        duena propietario propietaria fundador fundadora cofundador cofundadora empresario
        empresaria administrador_unico gerant gerante fondateur fondatrice cofondateur
        cofondatrice dirigeant dirigeante proprietaire patron patronne pdg dg dga
        gerente_general gerenta_general director_gerente directora_gerente director_ejecutivo
        directora_ejecutiva consejero consejera chairman chairwoman chair chairperson board
        board_member socio socia partner associe associee managing_partner entrepreneur
        emprendedor emprendedora chef_entreprise cheffe_entreprise vice_president vicepresidente
        vicepresidenta vp svp evp head chief general gral generale secretario_general
        secretaria_general secretaire_general secretaire_generale gerencia administrateur
        administratrice miembro_consejo membre_conseil strategy estrategia strategie gerente
        subdirector subdirectora strategic country_manager site_manager branch_manager
        co_fondatrice co_fondateur dtor dtora dir p_d_g chief_staff presidencia
    """,
}
"""Words that name a function only where no other word does; earlier groups go first."""
