"""The words of job titles that tell how high somebody stands, in English, Spanish and French.

Words stand without accents, case and stop words (of, de, the ...). Words joined by ``_`` are a
phrase, which is read before its words are.
"""

SENIORITY = {
    "not_working": """
        parado parada buscando_empleo busco_empleo open_to_work seeking_work looking_work retired
        retiree unemployed between_jobs not_working housewife homemaker stay jubilado jubilada
        prejubilado prejubilada pensionista desempleado desempleada paro sin_empleo ama_casa
        amo_casa retraite retraitee chomage sans_emploi demandeur_emploi demandeuse_emploi
        mere_foyer pere_foyer femme_foyer homme_foyer sans_activite
    """,
    "student": """
        student undergraduate intern internship phd_student phd_candidate doctoral_candidate
        pupil estudiante alumno alumna becario becaria practicas practicante pasante doctorando
        doctoranda etudiant etudiante eleve stagiaire stage alternant alternante alternance
        doctorant doctorante lyceen lyceenne work_experience working_student
    """,
    "helper": """
        assistant_to secretary_to executive_assistant personal_assistant pa_to ea_to
        virtual_assistant administrative_assistant assistant_administrative
        assistant_administratif admin_assistant office_assistant assistant_ceo
        assistant_director_general director_secretary directors_secretary director_s_secretary
        ceo_assistant ceo_s_assistant secretaire_pdg secretaire_directeur secretaire_president
        secretaire_directrice secretaria_ceo secretario_director secretaria_presidente
        asistente_directora assistant_managing asistente_direccion asistente_ejecutivo
        asistente_ejecutiva asistente_gerencia asistente_personal asistente_administrativo
        asistente_administrativa asistente_ceo asistente_presidencia asistente_director
        secretaria_direccion secretario_direccion secretaria_gerencia secretaria_presidencia
        secretaria_director assistant_direction assistante_direction assistante_administrative
        assistante_pdg assistant_pdg assistante_dg assistant_dg secretaire_direction
        assistante_dirigeant assistante_ceo assistante_president adjoint_administratif
        adjointe_administrative auxiliar_administrativo auxiliar_administrativa
    """,
    "owner": """
        owner co_owner founder cofounder co_founder founding_partner proprietor entrepreneur
        self_employed freelance freelancer sole_trader partner managing_partner equity_partner
        dueno duena propietario propietaria copropietario fundador fundadora cofundador
        cofundadora emprendedor emprendedora empresario empresaria autonomo autonoma socio socia
        administrador_unico administradora_unica gerant gerante cogerant cogerante fondateur
        fondatrice cofondateur cofondatrice co_fondateur co_fondatrice proprietaire independant
        independante dirigeant dirigeante chef_entreprise cheffe_entreprise patron patronne
        associe associee auto_entrepreneur autoentrepreneur micro_entrepreneur indie solopreneur
        por_cuenta_propia cuenta_propia trabajador_independiente entrepreneuse
        consultant_independant
    """,
    "executive": """
        rector rectora alcalde alcaldesa mayor apoderado apoderada ceo coo cfo cto cio cmo chro
        cro cpo cdo ciso cco cso cxo clo chief president presidente presidenta
        presidente_ejecutivo presidente_directeur pdg p_d_g dg dga md managing_director
        general_manager gm executive_director director_general directora_general director_gral
        directora_gral dir_general dir_gral dtor_gral directeur_general directrice_generale
        direction_generale gerente_general gerenta_general gte_general gte_gral gerente_gral
        director_gerente directora_gerente director_ejecutivo directora_ejecutiva consejero
        consejera consejero_delegado consejera_delegada presidente_consejo chair chairman
        chairwoman chairperson board board_member board_director non_executive_director
        miembro_consejo miembro_junta vocal_consejo administrateur administratrice
        membre_conseil secretary_general secretario_general secretaria_general
        secretaire_general secretaire_generale c_level csuite directeur_executif
        directrice_executive company_director cheif
    """,
    "director": """
        diretor diretora vicedirector vicedirectora dtra director_student_affairs director
        directora dir dtor dtora dirctor directeur directrice director_adjunto vp svp evp avp
        vice_president vicepresident vicepresidente vicepresidenta vice_presidente
        vice_presidenta head hd hod subdirector subdirectora direction direccion_comercial drh
        dsi daf dircom rrhh_director dean decano provost principal_school headteacher headmaster
    """,
    "low": """
        junior jr jnr trainee graduate apprentice apprenti apprentie aprendiz entry_level
        debutant
    """,
    "manager": """
        partner_manager channel_partner_manager manager managers mgr mngr mgt manageress
        supervisor supervisora superviseur superviseuse team_lead team_leader squad_lead
        shift_lead leader jefe jefa jefatura responsable resp encargado encargada gerente
        gerenta gte chef cheffe cadre foreman superintendent capataz lider mayordomo
        team_manager contremaitre maitrise encadrant chef_equipe administrador_fincas mando
        mandos intendant
    """,
    "senior": """
        senior sr snr lead principal staff_engineer staff_developer staff_scientist
        staff_designer expert experte experto experta confirme confirmee semi_senior
        architect_principal fellow referent referente
    """,
    "assistant": """
        assistant assistante asst asistente auxiliar aux ayudante secretary secretaria
        secretario secretaire receptionist recepcionista receptionniste administrativo
        administrativa administrativ admon admva admvo adtvo clerk adjoint adjointe aide
        standardiste hotesse typist operator_helper runner helper office_junior mozo
        employee_administrative employe_administratif
    """,
    "staff": """
        process_owner home_owner homeowner owner_representative owner_s_representative
        duena_casa student_affairs student_services executive sales_executive account_executive
        marketing_executive executive_sales ejecutivo ejecutiva ejecutivo_cuentas
        ejecutiva_cuentas ejecutivo_ventas ejecutiva_ventas business_partner hr_partner
        people_partner administrador administradora administrador_sistemas administrador_redes
        administrateur_reseaux administratrice_reseaux administratrice_systemes
        administrateur_reseau administrateur_systemes administrateur_systeme administrateur_base
        product_owner scrum_master co_ordinator prof law_clerk assistant_professor
        associate_professor teaching_assistant social_worker founding_engineer lead_generation
        chief_staff project_officer associate engineer developer programmer analyst consultant
        specialist officer representative rep agent advisor adviser coordinator designer
        accountant bookkeeper lawyer solicitor attorney paralegal nurse doctor physician dentist
        pharmacist teacher lecturer professor researcher scientist technician mechanic
        electrician buyer planner recruiter writer copywriter editor journalist administrator
        auditor controller broker trader strategist economist statistician tester architect
        artist photographer driver chef_cuisine cook waiter farmer plumber carpenter welder
        barber hairdresser salesperson salesman saleswoman cashier counsel translator
        interpreter therapist psychologist veterinarian vet surveyor estimator dispatcher
        trainer instructor tutor librarian producer firefighter policeman pilot courier worker
        employee paramedic midwife optician physiotherapist evangelist sdr bdr ae csm dba
        sysadmin devops underwriter actuary merchandiser stylist inspector operator warehouseman
        builder ingeniero ingeniera ing desarrollador desarrolladora programador programadora
        analista consultor consultora especialista tecnico tecnica tec tecnic comercial vendedor
        vendedora asesor asesora agente coordinador coordinadora disenador disenadora contable
        contador contadora abogado abogada enfermero enfermera medico medica dentista odontologo
        odontologa farmaceutico farmaceutica profesor profesora maestro maestra docente
        investigador investigadora cientifico cientifica mecanico electricista comprador
        compradora redactor redactora periodista gestor gestora oficial auditora arquitecto
        arquitecta fotografo fotografa conductor camarero camarera cocinero cocinera agricultor
        agricultora delegado delegada promotor promotora psicologo psicologa traductor
        traductora veterinario veterinaria operario operaria trabajador trabajadora empleado
        empleada fisioterapeuta controlador visitador reclutador reclutadora planificador
        capacitador capacitadora tesorero tesorera notario procurador repartidor peluquero
        peluquera fontanero albanil carpintero formador formadora teleoperador teleoperadora
        dependiente dependienta cajero cajera representante corredor quimico quimica biologo
        bioquimico economista perito tasador ingenieur ingenieure developpeur developpeuse
        programmeur analyste consultante specialiste technicien technicienne commercial
        commerciale vendeur vendeuse conseiller conseillere charge chargee coordinateur
        coordinatrice comptable avocat avocate juriste infirmier infirmiere medecin docteur
        pharmacien pharmacienne professeur professeure enseignant enseignante chercheur
        chercheuse mecanicien electricien acheteur acheteuse redacteur redactrice journaliste
        gestionnaire auditeur auditrice architecte graphiste photographe chauffeur cuisinier
        cuisiniere agriculteur agricultrice ouvrier ouvriere employe delegue deleguee traducteur
        traductrice veterinaire psychologue formateur formatrice instituteur institutrice
        kinesitherapeute sage_femme controleur controleuse tresorier recruteur recruteuse
        approvisionneur logisticien logisticienne ergonome concepteur conceptrice preparateur
        notaire attache attachee teleconseiller teleconseillere boulanger coiffeur coiffeuse
        plombier macon paysan magasinier preparatrice animateur animatrice expert_comptable
        integrateur planificateur negociateur negociatrice maquettiste artisan artisane
        chirurgien chirurgienne puericultrice aide_soignant aide_soignante kine biologiste
        chimiste geometre econome
    """,
}
"""Words by seniority; where several apply, the first of these ranks counts."""

RANKS = {"helper": "junior", "low": "junior", "assistant": "junior"}
"""Ranks that are read apart and called alike."""
