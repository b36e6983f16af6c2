//! The columns of exports that were made in another language than English: WooCommerce translates their names, not what stands
//! below them.

/// Names of WooCommerce's own translations, as the header's names are compared, by the English one: German, French, Spanish,
/// Dutch and Italian, with those of earlier years.
const NAMES: [(&str, &[&str]); 23] = [
    ("type", &["typ", "tipo"]),
    ("sku", &["artikelnummer", "art._nr.", "ugs", "référence", "cod", "sku_(cod)", "artikelnummer_(sku)"]),
    ("name", &["nom", "nombre", "naam", "nome"]),
    ("published", &["veröffentlicht", "publié", "publicado", "gepubliceerd", "pubblicato"]),
    (
        "visibility_in_catalog",
        &[
            "sichtbarkeit_im_katalog",
            "katalogsichtbarkeit",
            "visibilité_dans_le_catalogue",
            "visibilidad_en_el_catálogo",
            "zichtbaarheid_in_catalogus",
            "visibilità_nel_catalogo",
        ],
    ),
    (
        "short_description",
        &[
            "kurzbeschreibung",
            "description_courte",
            "descripción_corta",
            "korte_beschrijving",
            "korte_omschrijving",
            "breve_descrizione",
        ],
    ),
    ("description", &["beschreibung", "descripción", "beschrijving", "descrizione"]),
    (
        "date_sale_price_starts",
        &[
            "datum,_an_dem_angebotspreis_beginnt",
            "datum,_an_dem_der_angebotspreis_beginnt",
            "date_de_début_de_promo",
            "día_en_que_empieza_el_precio_rebajado",
            "startdatum_actieprijs",
            "data_di_inizio_del_prezzo_in_offerta",
        ],
    ),
    (
        "date_sale_price_ends",
        &[
            "datum,_an_dem_angebotspreis_endet",
            "datum,_an_dem_der_angebotspreis_endet",
            "date_de_fin_de_promo",
            "día_en_que_termina_el_precio_rebajado",
            "einddatum_actieprijs",
            "data_di_fine_del_prezzo_in_offerta",
        ],
    ),
    (
        "tax_status",
        &["steuerstatus", "état_de_la_tva", "estado_del_impuesto", "btw_status", "stato_delle_imposte"],
    ),
    (
        "tax_class",
        &["steuerklasse", "classe_de_tva", "clase_de_impuesto", "belastingklasse", "aliquota_di_imposta"],
    ),
    (
        "in_stock?",
        &[
            "vorrätig?",
            "auf_lager?",
            "en_stock_?",
            "en_stock?",
            "¿existencias?",
            "¿en_inventario?",
            "op_voorraad?",
        ],
    ),
    ("stock", &["lager", "bestand", "lagerbestand", "inventario", "voorraad", "magazzino"]),
    (
        "backorders_allowed?",
        &[
            "lieferrückstände_erlaubt?",
            "lieferrückstande_erlaubt?",
            "rückstände_erlaubt?",
            "autoriser_les_commandes_de_produits_en_rupture_?",
            "¿permitir_reservas_de_productos_agotados?",
            "nabestellingen_toestaan?",
            "abilita_gli_ordini_arretrati?",
        ],
    ),
    (
        "sale_price",
        &["angebotspreis", "tarif_promo", "prix_promo", "precio_rebajado", "actieprijs", "prezzo_in_offerta"],
    ),
    (
        "regular_price",
        &[
            "regulärer_preis",
            "normaler_preis",
            "tarif_régulier",
            "prix_régulier",
            "precio_normal",
            "precio_regular",
            "reguliere_prijs",
            "prezzo_di_listino",
        ],
    ),
    ("categories", &["kategorien", "catégories", "categorías", "categorias", "categorieën", "categorie"]),
    ("tags", &["schlagwörter", "étiquettes", "etiquetas", "tag"]),
    ("images", &["bilder", "imágenes", "afbeeldingen", "immagini", "immagine"]),
    ("parent", &["übergeordnetes_produkt", "eltern", "superior", "hoofd", "genitore"]),
    ("brands", &["marken", "marques", "marcas", "merken", "marchi"]),
    ("shipping_class", &["versandklasse", "clase_de_envío", "verzendklasse", "classe_di_spedizione"]),
    ("position", &["posición", "positie", "posizione"]),
];

/// Beginnings of the columns of weights.
const WEIGHTS: [&str; 3] = ["gewicht_(", "poids_(", "peso_("];

/// What stands before and behind the number of an attribute, and which part of it that is.
const ATTRIBUTES: [(&str, &str, &str); 14] = [
    ("attribut_", "_name", "name"),
    ("attribut_", "_wert(e)", "value"),
    ("nom_de_l'attribut_", "", "name"),
    ("valeur(s)_de_l'attribut_", "", "value"),
    ("nombre_del_atributo_", "", "name"),
    ("valor(es)_del_atributo_", "", "value"),
    ("naam_eigenschap_", "", "name"),
    ("waarde_eigenschap_", "", "value"),
    ("waarde(n)_eigenschap_", "", "value"),
    ("attributo_", "_nome", "name"),
    ("attributo_", "_valore(i)", "value"),
    ("attributo_", "_valori", "value"),
    ("attributo_", "_valuta(e)", "value"),
    ("nome_attributo_", "", "name"),
];

/// The English name of a column in another language.
pub fn english(name: &str) -> Option<String> {
    let name = name.replace('\u{2019}', "'");
    if let Some((english, _)) = NAMES.iter().find(|(_, names)| names.contains(&name.as_str())) {
        return Some((*english).to_owned());
    }
    if let Some(unit) = WEIGHTS.iter().find_map(|beginning| name.strip_prefix(beginning)) {
        return Some(format!("weight_({unit}"));
    }
    ATTRIBUTES.iter().find_map(|(before, behind, part)| {
        let n = name.strip_prefix(before)?.strip_suffix(behind)?;
        n.bytes().all(|b| b.is_ascii_digit()).then(|| format!("attribute_{n}_{part}"))
    })
}
