//! The tables, as the twin migrations make them. A test holds them against both databases.

diesel::table! {
    pools (id) {
        id -> BigInt,
        code -> Text,
        name_ja -> Text,
        name_en -> Text,
    }
}

diesel::table! {
    sites (id) {
        id -> BigInt,
        pool_id -> BigInt,
        code -> Text,
        name_ja -> Text,
        name_en -> Text,
        refers -> Bool,
        reads -> Bool,
        insured -> Bool,
        institution_code -> Nullable<Text>,
        phone -> Text,
        email -> Text,
        patient_id_rule -> Text,
        orphan_rule -> Text,
        orphan_wait_minutes -> Integer,
        comparison_after_days -> Integer,
        quiet_seconds -> Integer,
        unknown_classes -> Bool,
        standing_notes -> Text,
        demo -> Bool,
        research -> Bool,
        active -> Bool,
        version -> Integer,
    }
}

diesel::table! {
    filings (id) {
        id -> BigInt,
        site_id -> BigInt,
        kind -> Text,
        from_day -> Date,
        to_day -> Nullable<Date>,
        note -> Text,
    }
}

diesel::table! {
    site_endpoints (id) {
        id -> BigInt,
        site_id -> BigInt,
        name -> Text,
        kind -> Text,
        sends -> Bool,
        receives -> Bool,
        ae_title -> Text,
        host -> Text,
        port -> Integer,
        addresses -> Text,
        active -> Bool,
        last_contact_at -> Nullable<Timestamp>,
        last_error -> Nullable<Text>,
        version -> Integer,
        queries -> Bool,
        tls -> Text,
        certificate_sha256 -> Text,
        character_set -> Text,
        name_form -> Text,
        watched -> Bool,
    }
}

diesel::table! {
    endpoint_states (endpoint_id) {
        endpoint_id -> BigInt,
        echo_at -> Nullable<Timestamp>,
        echo_ms -> Nullable<Integer>,
        answered_at -> Nullable<Timestamp>,
        failing_since -> Nullable<Timestamp>,
        failures -> Integer,
        failure -> Nullable<Text>,
        tls_at -> Nullable<Timestamp>,
        tls_version -> Nullable<Text>,
        certificate_sha256 -> Nullable<Text>,
        certificate_subject -> Nullable<Text>,
        certificate_not_after -> Nullable<Timestamp>,
    }
}

diesel::table! {
    site_calendars (id) {
        id -> BigInt,
        site_id -> Nullable<BigInt>,
        day -> Date,
        name -> Text,
    }
}

diesel::table! {
    tariffs (id) {
        id -> BigInt,
        name -> Text,
        from_day -> Date,
        to_day -> Nullable<Date>,
    }
}

diesel::table! {
    tariff_lines (id) {
        id -> BigInt,
        tariff_id -> BigInt,
        kind -> Text,
        modality -> Nullable<Text>,
        region -> Nullable<Text>,
        priority -> Nullable<Text>,
        amount_yen -> BigInt,
    }
}

diesel::table! {
    contracts (id) {
        id -> BigInt,
        site_id -> BigInt,
        tariff_name -> Text,
        from_day -> Date,
        to_day -> Nullable<Date>,
        due_stat_minutes -> Integer,
        due_urgent_minutes -> Integer,
        due_priority_minutes -> Integer,
        due_routine_minutes -> Integer,
        price_day -> Text,
        hold_stops_clock -> Bool,
        password_each_signature -> Bool,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        login -> Text,
        name_ja -> Text,
        name_kana -> Text,
        name_en -> Text,
        email -> Text,
        password_hash -> Text,
        language -> Text,
        theme -> Text,
        active -> Bool,
        created_at -> Timestamp,
        version -> Integer,
    }
}

diesel::table! {
    grants (id) {
        id -> BigInt,
        user_id -> BigInt,
        role -> Text,
        site_id -> Nullable<BigInt>,
        pool_id -> Nullable<BigInt>,
        from_at -> Timestamp,
        to_at -> Nullable<Timestamp>,
        given_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    sessions (id) {
        id -> BigInt,
        user_id -> BigInt,
        token_hash -> Text,
        csrf_token -> Text,
        address -> Text,
        created_at -> Timestamp,
        seen_at -> Timestamp,
        expires_at -> Timestamp,
        signing_opened_at -> Nullable<Timestamp>,
        signing_used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> BigInt,
        user_id -> BigInt,
        name -> Text,
        token_hash -> Text,
        created_at -> Timestamp,
        expires_at -> Nullable<Timestamp>,
        used_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    login_attempts (id) {
        id -> BigInt,
        login -> Text,
        address -> Text,
        at -> Timestamp,
        succeeded -> Bool,
    }
}

diesel::table! {
    readers (id) {
        id -> BigInt,
        user_id -> BigInt,
        pool_id -> BigInt,
        qualification -> Text,
        pace -> Double,
        capacity_minutes -> Integer,
        logged_in -> Bool,
        paused -> Bool,
        presence_at -> Nullable<Timestamp>,
        active -> Bool,
        version -> Integer,
    }
}

diesel::table! {
    signing_keys (id) {
        id -> BigInt,
        reader_id -> BigInt,
        certificate_pem -> Text,
        sealed_key -> Binary,
        created_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    affiliations (id) {
        id -> BigInt,
        reader_id -> BigInt,
        site_id -> BigInt,
        full_time -> Bool,
        filed -> Bool,
        weekly_days -> Integer,
        weekly_hours -> Integer,
        from_day -> Date,
        to_day -> Nullable<Date>,
    }
}

diesel::table! {
    privileges (id) {
        id -> BigInt,
        reader_id -> BigInt,
        site_id -> BigInt,
        from_day -> Date,
        to_day -> Nullable<Date>,
    }
}

diesel::table! {
    shift_patterns (id) {
        id -> BigInt,
        reader_id -> BigInt,
        weekday -> Integer,
        start_minute -> Integer,
        end_minute -> Integer,
        place -> Text,
    }
}

diesel::table! {
    shifts (id) {
        id -> BigInt,
        reader_id -> BigInt,
        starts_at -> Timestamp,
        ends_at -> Timestamp,
        place -> Text,
        pattern_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    skills (id) {
        id -> BigInt,
        reader_id -> BigInt,
        region -> Text,
        modality -> Text,
        declared -> Integer,
        changed_at -> Timestamp,
        changed_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    patients (id) {
        id -> BigInt,
        site_id -> BigInt,
        medium_id -> Nullable<BigInt>,
        issuer -> Text,
        patient_key -> Text,
        patient_id -> Text,
        name_alphabetic -> Text,
        name_ideographic -> Text,
        name_phonetic -> Text,
        birth_date -> Nullable<Date>,
        sex -> Text,
        search_text -> Text,
        name_search -> Text,
        created_at -> Timestamp,
        version -> Integer,
    }
}

diesel::table! {
    patient_links (id) {
        id -> BigInt,
        site_id -> BigInt,
        foreign_id -> BigInt,
        own_id -> Nullable<BigInt>,
        state -> Text,
        reason -> Text,
        by_user_id -> BigInt,
        at -> Timestamp,
        undone_at -> Nullable<Timestamp>,
        undone_by -> Nullable<BigInt>,
        undone_reason -> Nullable<Text>,
    }
}

diesel::table! {
    arrivals (id) {
        id -> BigInt,
        site_id -> BigInt,
        endpoint_id -> Nullable<BigInt>,
        user_id -> Nullable<BigInt>,
        via -> Text,
        whose -> Text,
        calling_ae -> Text,
        address -> Text,
        started_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
        kept -> Integer,
        repeated -> Integer,
        quarantined -> Integer,
        failed -> Integer,
        bytes -> BigInt,
        outcome -> Text,
    }
}

diesel::table! {
    arrival_studies (arrival_id, study_uid) {
        arrival_id -> BigInt,
        study_uid -> Text,
        instances -> Integer,
    }
}

diesel::table! {
    refusals (id) {
        id -> BigInt,
        at -> Timestamp,
        calling_ae -> Text,
        called_ae -> Text,
        address -> Text,
        reason -> Text,
    }
}

diesel::table! {
    studies (id) {
        id -> BigInt,
        site_id -> BigInt,
        study_uid -> Text,
        patient_id -> BigInt,
        elsewhere -> Bool,
        header_patient_id -> Text,
        header_name_alphabetic -> Text,
        header_name_ideographic -> Text,
        header_name_phonetic -> Text,
        header_birth_date -> Nullable<Date>,
        header_sex -> Text,
        name_search -> Text,
        accession_number -> Text,
        study_date -> Nullable<Date>,
        study_time -> Text,
        study_id_text -> Text,
        description -> Text,
        modalities -> Text,
        institution -> Text,
        referring_physician -> Text,
        instances -> Integer,
        series -> Integer,
        first_received_at -> Timestamp,
        last_received_at -> Timestamp,
        settled_at -> Nullable<Timestamp>,
        settled_instances -> Integer,
        match_state -> Text,
        match_reason -> Nullable<Text>,
        match_deadline -> Nullable<Timestamp>,
        version -> Integer,
    }
}

diesel::table! {
    study_claims (study_id) {
        study_id -> BigInt,
        site_id -> BigInt,
        facts -> Text,
        arrival_id -> Nullable<BigInt>,
        claimed_at -> Timestamp,
        decided_at -> Nullable<Timestamp>,
        decided_by -> Nullable<BigInt>,
        decision -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    series (id) {
        id -> BigInt,
        study_id -> BigInt,
        series_uid -> Text,
        modality -> Text,
        number -> Nullable<Integer>,
        description -> Text,
        protocol -> Text,
        body_part -> Text,
        laterality -> Text,
        view_position -> Text,
        instances -> Integer,
        first_received_at -> Timestamp,
    }
}

diesel::table! {
    instances (id) {
        id -> BigInt,
        site_id -> BigInt,
        study_id -> BigInt,
        series_id -> BigInt,
        arrival_id -> Nullable<BigInt>,
        sop_instance_uid -> Text,
        sop_class_uid -> Text,
        transfer_syntax -> Text,
        sha256 -> Text,
        size -> BigInt,
        object_key -> Text,
        number -> Nullable<Integer>,
        image_rows -> Nullable<Integer>,
        image_columns -> Nullable<Integer>,
        frames -> Integer,
        position_along_normal -> Nullable<Double>,
        received_at -> Timestamp,
        hidden_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    instance_versions (id) {
        id -> BigInt,
        instance_id -> BigInt,
        site_id -> BigInt,
        study_id -> BigInt,
        arrival_id -> Nullable<BigInt>,
        difference -> Text,
        standing -> Text,
        changed -> Text,
        identity_changes -> Text,
        facts -> Text,
        sha256 -> Text,
        size -> BigInt,
        object_key -> Text,
        received_at -> Timestamp,
        decided_at -> Nullable<Timestamp>,
        decided_by -> Nullable<BigInt>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    quarantine (id) {
        id -> BigInt,
        site_id -> BigInt,
        arrival_id -> Nullable<BigInt>,
        reason -> Text,
        detail -> Text,
        sop_instance_uid -> Text,
        sha256 -> Text,
        size -> BigInt,
        object_key -> Text,
        received_at -> Timestamp,
        resolved_at -> Nullable<Timestamp>,
        resolved_by -> Nullable<BigInt>,
        outcome -> Nullable<Text>,
        resolution -> Nullable<Text>,
    }
}

diesel::table! {
    study_evidence (id) {
        id -> BigInt,
        site_id -> BigInt,
        study_uid -> Text,
        kind -> Text,
        source -> Text,
        expected_instances -> Nullable<Integer>,
        detail -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    commitments (id) {
        id -> BigInt,
        site_id -> BigInt,
        endpoint_id -> BigInt,
        transaction_uid -> Text,
        items -> Text,
        state -> Text,
        committed -> Integer,
        failed -> Integer,
        asked_at -> Timestamp,
        reported_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    performed_steps (id) {
        id -> BigInt,
        site_id -> BigInt,
        endpoint_id -> BigInt,
        sop_instance_uid -> Text,
        status -> Text,
        study_uids -> Text,
        made -> Text,
        created_at -> Timestamp,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    study_completeness (id) {
        id -> BigInt,
        study_id -> BigInt,
        number -> Integer,
        verdict -> Text,
        received -> Integer,
        series -> Integer,
        expected_instances -> Nullable<Integer>,
        reasons -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    image_withdrawals (id) {
        id -> BigInt,
        site_id -> BigInt,
        study_uid -> Text,
        cause -> Text,
        note -> Text,
        by_user_id -> Nullable<BigInt>,
        rejection_id -> Nullable<BigInt>,
        at -> Timestamp,
        undone_at -> Nullable<Timestamp>,
        undone_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    withdrawn_images (id) {
        id -> BigInt,
        withdrawal_id -> BigInt,
        site_id -> BigInt,
        sop_instance_uid -> Text,
        instance_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    requests (id) {
        id -> BigInt,
        site_id -> BigInt,
        accession_number -> Text,
        study_uid -> Text,
        patient_key -> Text,
        patient_id -> Text,
        name_alphabetic -> Text,
        name_ideographic -> Text,
        name_phonetic -> Text,
        birth_date -> Nullable<Date>,
        sex -> Text,
        ordering_doctor -> Text,
        ordering_user_id -> Nullable<BigInt>,
        department -> Text,
        phone -> Text,
        exam -> Text,
        question -> Text,
        history -> Text,
        kind -> Text,
        source -> Text,
        priority -> Text,
        wanted_by -> Nullable<Timestamp>,
        expected_instances -> Nullable<Integer>,
        is_default -> Bool,
        state -> Text,
        state_reason -> Nullable<Text>,
        created_by -> Nullable<BigInt>,
        created_at -> Timestamp,
        version -> Integer,
    }
}

diesel::table! {
    request_files (id) {
        id -> BigInt,
        request_id -> BigInt,
        name -> Text,
        content_type -> Text,
        size -> BigInt,
        sha256 -> Text,
        object_key -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    cases (id) {
        id -> BigInt,
        site_id -> BigInt,
        pool_id -> BigInt,
        patient_id -> BigInt,
        request_id -> BigInt,
        contract_id -> Nullable<BigInt>,
        state -> Text,
        held_state -> Nullable<Text>,
        hold_reason -> Nullable<Text>,
        hold_actor -> Nullable<Text>,
        hold_until -> Nullable<Timestamp>,
        held_at -> Nullable<Timestamp>,
        priority -> Text,
        urgency -> Double,
        ai_help -> Bool,
        flags -> Text,
        priors -> Integer,
        due_at -> Timestamp,
        received_at -> Timestamp,
        ready_at -> Nullable<Timestamp>,
        reported_at -> Nullable<Timestamp>,
        returned_at -> Nullable<Timestamp>,
        acknowledged_at -> Nullable<Timestamp>,
        withdrawn_at -> Nullable<Timestamp>,
        merged_into_id -> Nullable<BigInt>,
        created_at -> Timestamp,
        version -> Integer,
    }
}

diesel::table! {
    case_parts (id) {
        id -> BigInt,
        case_id -> BigInt,
        region -> Text,
        modality -> Text,
        laterality -> Text,
        minutes -> Double,
        confidence -> Double,
        source -> Text,
    }
}

diesel::table! {
    case_studies (id) {
        id -> BigInt,
        case_id -> BigInt,
        study_id -> BigInt,
        role -> Text,
        seen_instances -> Integer,
    }
}

diesel::table! {
    upload_directories (arrival_id, study_uid) {
        arrival_id -> BigInt,
        study_uid -> Text,
        study_date -> Text,
        description -> Text,
        instances -> Text,
    }
}

diesel::table! {
    site_limits (site_id) {
        site_id -> BigInt,
        associations -> Nullable<Integer>,
        association_megabytes -> Nullable<Integer>,
        association_objects -> Nullable<Integer>,
        association_minutes -> Nullable<Integer>,
        idle_seconds -> Nullable<Integer>,
        hour_megabytes -> Nullable<Integer>,
        day_megabytes -> Nullable<Integer>,
    }
}

diesel::table! {
    prior_rules (endpoint_id) {
        endpoint_id -> BigInt,
        active -> Bool,
        most -> Integer,
        within_days -> Integer,
        same_modality -> Bool,
        same_region -> Bool,
        way -> Text,
        asked_at -> Nullable<Timestamp>,
        failure -> Nullable<Text>,
    }
}

diesel::table! {
    prior_studies (site_id, study_uid, case_id) {
        site_id -> BigInt,
        study_uid -> Text,
        case_id -> BigInt,
        endpoint_id -> BigInt,
        state -> Text,
        asked_at -> Timestamp,
    }
}

diesel::table! {
    case_notes (id) {
        id -> BigInt,
        case_id -> BigInt,
        kind -> Text,
        author_id -> Nullable<BigInt>,
        contact -> Text,
        body -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    case_events (id) {
        id -> BigInt,
        case_id -> BigInt,
        read_id -> Nullable<BigInt>,
        actor_id -> Nullable<BigInt>,
        kind -> Text,
        data -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    prescreens (id) {
        id -> BigInt,
        case_id -> BigInt,
        number -> Integer,
        urgency -> Double,
        contributions -> Text,
        labels -> Text,
        model_version -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    findings (id) {
        id -> BigInt,
        study_id -> BigInt,
        instance_id -> Nullable<BigInt>,
        engine -> Text,
        engine_version -> Text,
        label -> Text,
        confidence -> Double,
        class -> Text,
        mark -> Nullable<Text>,
        shown -> Bool,
        at -> Timestamp,
    }
}

diesel::table! {
    plans (id) {
        id -> BigInt,
        pool_id -> BigInt,
        parent_id -> Nullable<BigInt>,
        fencing -> BigInt,
        seed -> BigInt,
        reads -> Integer,
        readers -> Integer,
        assigned -> Integer,
        waiting -> Integer,
        applied -> Integer,
        stale -> Integer,
        objective -> Double,
        bound -> Double,
        gap -> Double,
        stopped_by -> Text,
        solve_ms -> Integer,
        at -> Timestamp,
    }
}

diesel::table! {
    reads (id) {
        id -> BigInt,
        case_id -> BigInt,
        number -> Integer,
        kind -> Text,
        state -> Text,
        frozen -> Bool,
        reader_id -> Nullable<BigInt>,
        preferred_reader_id -> Nullable<BigInt>,
        plan_id -> Nullable<BigInt>,
        place_in_list -> Integer,
        explanation -> Text,
        waiting_reason -> Nullable<Text>,
        waiting_until -> Nullable<Timestamp>,
        expected_minutes -> Double,
        created_at -> Timestamp,
        assigned_at -> Nullable<Timestamp>,
        seen_at -> Nullable<Timestamp>,
        started_at -> Nullable<Timestamp>,
        heartbeat_at -> Nullable<Timestamp>,
        signed_at -> Nullable<Timestamp>,
        clock_from -> Nullable<Timestamp>,
        missed_starts -> Integer,
        missed_by -> Nullable<BigInt>,
        missed_at -> Nullable<Timestamp>,
        version -> Integer,
    }
}

diesel::table! {
    declines (id) {
        id -> BigInt,
        read_id -> BigInt,
        reader_id -> BigInt,
        reason -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    overrides (id) {
        id -> BigInt,
        case_id -> BigInt,
        read_id -> Nullable<BigInt>,
        kind -> Text,
        reader_id -> Nullable<BigInt>,
        value -> Text,
        reason -> Text,
        by_user_id -> BigInt,
        at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
        revoked_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    plan_items (id) {
        id -> BigInt,
        plan_id -> BigInt,
        read_id -> BigInt,
        reader_id -> Nullable<BigInt>,
        place_in_list -> Integer,
        explanation -> Text,
        outcome -> Text,
    }
}

diesel::table! {
    image_views (id) {
        id -> BigInt,
        read_id -> BigInt,
        instance_id -> BigInt,
        at -> Timestamp,
    }
}

diesel::table! {
    reports (id) {
        id -> BigInt,
        case_id -> BigInt,
        read_id -> BigInt,
        reader_id -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    report_versions (id) {
        id -> BigInt,
        report_id -> BigInt,
        number -> Integer,
        state -> Text,
        revision -> Integer,
        findings -> Text,
        impression -> Text,
        reason -> Text,
        saved_at -> Timestamp,
        saved_by -> BigInt,
        signed_at -> Nullable<Timestamp>,
        signed_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    withdrawals (id) {
        id -> BigInt,
        report_version_id -> BigInt,
        reason -> Text,
        by_user_id -> BigInt,
        at -> Timestamp,
    }
}

diesel::table! {
    artefacts (id) {
        id -> BigInt,
        report_version_id -> BigInt,
        kind -> Text,
        object_key -> Text,
        sha256 -> Text,
        size -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    deliveries (id) {
        id -> BigInt,
        case_id -> BigInt,
        report_version_id -> BigInt,
        content -> Text,
        kind -> Text,
        endpoint_id -> Nullable<BigInt>,
        destination -> Text,
        required -> Bool,
        state -> Text,
        attempts -> Integer,
        next_at -> Timestamp,
        last_error -> Nullable<Text>,
        created_at -> Timestamp,
        delivered_at -> Nullable<Timestamp>,
        given_up_by -> Nullable<BigInt>,
        given_up_reason -> Nullable<Text>,
        version -> Integer,
    }
}

diesel::table! {
    recipients (id) {
        id -> BigInt,
        case_id -> BigInt,
        report_version_id -> BigInt,
        user_id -> BigInt,
        notified_at -> Timestamp,
        opened_at -> Nullable<Timestamp>,
        accepted_at -> Nullable<Timestamp>,
        acted_at -> Nullable<Timestamp>,
        acted_note -> Text,
    }
}

diesel::table! {
    billable_events (id) {
        id -> BigInt,
        site_id -> BigInt,
        contract_id -> Nullable<BigInt>,
        case_id -> BigInt,
        read_id -> BigInt,
        report_version_id -> BigInt,
        reader_id -> BigInt,
        kind -> Text,
        region -> Text,
        modality -> Text,
        laterality -> Text,
        priority -> Text,
        tariff_line_id -> Nullable<BigInt>,
        quantity -> Integer,
        amount_yen -> BigInt,
        counts_on -> Date,
        month -> Text,
        reading_site_id -> Nullable<BigInt>,
        reading_site_filing -> Text,
        reader_filed -> Bool,
        place -> Text,
        addon -> Text,
        addon_tier -> Text,
        addon_group -> Text,
        addon_points -> Integer,
        addon_sentence_ja -> Text,
        addon_sentence_en -> Text,
        corrects_id -> Nullable<BigInt>,
        at -> Timestamp,
    }
}

diesel::table! {
    jobs (id) {
        id -> BigInt,
        kind -> Text,
        key -> Text,
        payload -> Text,
        state -> Text,
        run_at -> Timestamp,
        attempts -> Integer,
        max_attempts -> Integer,
        again -> Bool,
        leased_by -> Nullable<Text>,
        leased_until -> Nullable<Timestamp>,
        last_error -> Nullable<Text>,
        created_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    leases (name) {
        name -> Text,
        holder -> Text,
        fencing -> BigInt,
        until -> Timestamp,
    }
}

diesel::table! {
    spool_nodes (node) {
        node -> Text,
        url -> Text,
        waiting -> BigInt,
        waiting_bytes -> BigInt,
        limit_bytes -> BigInt,
        oldest_at -> Nullable<Timestamp>,
        failing_since -> Nullable<Timestamp>,
        fault -> Text,
        lost -> BigInt,
        seen_at -> Timestamp,
    }
}

diesel::table! {
    spooled_objects (object_key, node) {
        object_key -> Text,
        node -> Text,
        size -> BigInt,
        spooled_at -> Timestamp,
    }
}

diesel::table! {
    audit (id) {
        id -> BigInt,
        at -> Timestamp,
        actor_id -> Nullable<BigInt>,
        actor -> Text,
        action -> Text,
        subject_kind -> Text,
        subject_id -> Nullable<BigInt>,
        site_id -> Nullable<BigInt>,
        outcome -> Text,
        detail -> Text,
        address -> Text,
        own_hash -> Text,
    }
}

diesel::table! {
    audit_seals (id) {
        id -> BigInt,
        sealed_at -> Timestamp,
        rows_sealed -> Integer,
        previous_hash -> Text,
        hash -> Text,
    }
}

diesel::table! {
    audit_sealed (audit_id) {
        audit_id -> BigInt,
        seal_id -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    pools,
    sites,
    filings,
    site_endpoints,
    endpoint_states,
    site_calendars,
    tariffs,
    tariff_lines,
    contracts,
    users,
    grants,
    sessions,
    api_tokens,
    login_attempts,
    readers,
    signing_keys,
    affiliations,
    privileges,
    shift_patterns,
    shifts,
    skills,
    patients,
    patient_links,
    arrivals,
    arrival_studies,
    refusals,
    studies,
    study_claims,
    series,
    instances,
    instance_versions,
    quarantine,
    study_evidence,
    commitments,
    performed_steps,
    study_completeness,
    image_withdrawals,
    withdrawn_images,
    requests,
    request_files,
    cases,
    case_parts,
    case_studies,
    upload_directories,
    site_limits,
    prior_rules,
    prior_studies,
    case_notes,
    case_events,
    prescreens,
    findings,
    plans,
    reads,
    declines,
    overrides,
    plan_items,
    image_views,
    reports,
    report_versions,
    withdrawals,
    artefacts,
    deliveries,
    recipients,
    billable_events,
    jobs,
    leases,
    spool_nodes,
    spooled_objects,
    audit,
    audit_seals,
    audit_sealed,
);
