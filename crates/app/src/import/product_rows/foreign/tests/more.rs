//! Facts, units that nobody counts, headers in other languages, and more variants than a product has.

use super::*;
use crate::import::product_rows::Values;
use svc_product::domain::limits::ATTRIBUTES_MAX;

fn facts<'a>(located: &'a Located, name: &str) -> &'a [String] {
    match located.row.attributes.get(name) {
        Some(Values::Many(values)) => values,
        Some(Values::One(value)) => std::slice::from_ref(value),
        None => &[],
    }
}

fn count(located: &Located) -> usize {
    located.row.to_import().expect("good").product.expect("there").attributes.len()
}

#[test]
fn a_product_has_at_most_as_many_facts_as_the_catalogue_takes() {
    let many = |word: &str, n: usize| (0..n).map(|i| format!("{word} {i:02}")).collect::<Vec<_>>().join(", ");
    let header = "ID,Type,SKU,Name,Regular price,Brands,Tags,Attribute 1 name,Attribute 1 value(s),Attribute 2 name,\
        Attribute 2 value(s),Attribute 3 name,Attribute 3 value(s)\n";
    let row = format!(
        "1,simple,H,Hat,9,Loom,\"{}\",Material,\"{}\",Fit,\"{}\",Care,\"{}\"\n",
        many("tag", 30),
        many("wool", 20),
        many("fit", 10),
        many("care", 10)
    );
    let told = read(WOO, &format!("{header}{row}"));
    let hat = named(&told, "Hat");
    assert_eq!(count(hat), ATTRIBUTES_MAX);
    assert_eq!(
        (facts(hat, "brand").len(), facts(hat, "Material").len(), facts(hat, "tag").len()),
        (1, 20, 9)
    );
    assert!(told.notes.contains(&(2, "Tags".to_owned())), "{:?}", told.notes);
    let text = format!("Handle,Title,Vendor,Tags,Variant Price\nhat,Hat,Loom,\"{}\",9\n", many("tag", 60));
    let told = read(SHOPIFY, &text);
    assert_eq!(count(named(&told, "Hat")), ATTRIBUTES_MAX);
    assert!(told.notes.contains(&(2, "Tags".to_owned())), "{:?}", told.notes);
}

#[test]
fn values_that_differ_by_what_nobody_sees_are_one() {
    let header = "ID,Type,SKU,Name,Regular price,Tags,Attribute 1 name,Attribute 1 value(s),Attribute 2 name,\
        Attribute 2 value(s)\n";
    let row = "1,simple,H,Hat,9,\"wool, wool\u{200b}, \u{200b}\",Material,\"Wool, Wool\u{200b}\",Mat\u{ad}erial,Wool\n";
    let told = read(WOO, &format!("{header}{row}"));
    let hat = named(&told, "Hat");
    assert_eq!(
        (facts(hat, "tag"), facts(hat, "Material")),
        (&["wool".to_owned()][..], &["Wool".to_owned()][..])
    );
    assert_eq!(count(hat), 2);
    let text = "Handle,Title,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Price\n\
        hat,Hat,\"wool, Wool, wool\u{feff}\",Size,S\u{200b},H-S,9\n";
    let told = read(SHOPIFY, text);
    let hat = named(&told, "Hat");
    assert_eq!(facts(hat, "tag").len(), 2);
    assert_eq!(hat.row.variants[0].options["Size"], "S");
}

/// The stock of each variant, and whether it is sold without any.
fn stock(told: &Told) -> Vec<(Option<i64>, bool)> {
    let variants = told.products.iter().flat_map(|located| &located.row.variants);
    variants.map(|variant| (variant.stock, variant.is_unlimited)).collect()
}

#[test]
fn what_woocommerce_sells_without_counting_is_known() {
    let header = "ID,Type,SKU,Name,Regular price,In stock?,Stock,Backorders allowed?,Parent,Attribute 1 name,Attribute 1 value(s)\n";
    let told = read(
        WOO,
        &format!(
            "{header}1,simple,A,A,9,1,,0,,,\n2,simple,B,B,9,0,,0,,,\n3,simple,C,C,9,1,5,1,,,\n4,simple,D,D,9,1,0,notify,,,\n\
             5,simple,E,E,9,backorder,,1,,,\n6,simple,F,F,9,0,-2,0,,,\n7,variable,G,G,,1,9,0,,Size,\"S\"\n\
             8,variation,G-S,G,9,1,parent,0,id:7,Size,S\n"
        ),
    );
    assert_eq!(told.refused, []);
    let wanted = [
        (None, true),
        (None, false),
        (Some(5), false),
        (Some(0), true),
        (None, true),
        (Some(0), false),
        (None, false),
    ];
    assert_eq!(stock(&told), wanted);
    assert!(told.notes.contains(&(9, "Stock".to_owned())), "stock of a parent is told: {:?}", told.notes);
}

#[test]
fn what_shopify_sells_without_counting_is_known() {
    let text = "Handle,Title,Variant SKU,Variant Price,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy\n\
        a,A,A,9,,0,deny\nb,B,B,9,shopify,0,deny\nc,C,C,9,shopify,-4,continue\nd,D,D,9,,7,deny\ne,E,E,9,,,\n";
    let told = read(SHOPIFY, text);
    let wanted = [(Some(0), true), (Some(0), false), (Some(0), true), (Some(7), false), (None, true)];
    assert_eq!(stock(&told), wanted);
    // A table without the column says nothing of it.
    let told = read(SHOPIFY, "Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty\na,A,A,9,0\n");
    assert_eq!(stock(&told), [(Some(0), false)]);
}

#[test]
fn headers_of_woocommerce_are_read_in_other_languages() {
    for (header, row) in [
        (
            "ID,Typ,Artikelnummer,Name,Veröffentlicht,Sichtbarkeit im Katalog,Kurzbeschreibung,Beschreibung,Steuerstatus,\
             Steuerklasse,Vorrätig?,Bestand,Gewicht (kg),Angebotspreis,Regulärer Preis,Kategorien,Schlagwörter,Bilder,\
             Übergeordnetes Produkt,Attribut 1 Name,Attribut 1 Wert(e)",
            "",
        ),
        (
            "ID,Type,UGS,Nom,Publié,Visibilité dans le catalogue,Description courte,Description,État de la TVA,\
             Classe de TVA,En stock\u{a0}?,Stock,Poids (kg),Tarif promo,Tarif régulier,Catégories,Étiquettes,Images,Parent,\
             Nom de l’attribut 1,Valeur(s) de l’attribut 1",
            "",
        ),
        (
            "ID,Tipo,SKU,Nombre,Publicado,Visibilidad en el catálogo,Descripción corta,Descripción,Estado del impuesto,\
             Clase de impuesto,¿Existencias?,Inventario,Peso (kg),Precio rebajado,Precio normal,Categorías,Etiquetas,\
             Imágenes,Superior,Nombre del atributo 1,Valor(es) del atributo 1",
            "",
        ),
        (
            "ID,Type,Artikelnummer,Naam,Gepubliceerd,Zichtbaarheid in catalogus,Korte beschrijving,Beschrijving,Btw status,\
             Belastingklasse,Op voorraad?,Voorraad,Gewicht (kg),Actieprijs,Reguliere prijs,Categorieën,Tags,Afbeeldingen,\
             Hoofd,Naam eigenschap 1,Waarde eigenschap 1",
            "",
        ),
        (
            "ID,Tipo,COD,Nome,Pubblicato,Visibilità nel catalogo,Breve descrizione,Descrizione,Stato delle imposte,\
             Aliquota di imposta,In stock?,Magazzino,Peso (kg),Prezzo in offerta,Prezzo di listino,Categorie,Tag,Immagini,\
             Genitore,Attributo 1 nome,Attributo 1 valore(i)",
            "",
        ),
    ] {
        let rows = "7,variable,TEE,Tee,1,visible,,Soft,taxable,reduced-rate,1,,0.2,,,Tops,cotton,tee.jpg,,Size,S\n\
             8,variation,TEE-S,Tee,1,visible,,,,,1,3,,7,9,,,,id:7,Size,S\n";
        let told = read(WOO, &format!("{header}\n{rows}{row}"));
        assert_eq!((told.refused, told.notes), (Vec::new(), Vec::new()), "{header}");
        let tee = &told.products[0].row;
        let small = &tee.variants[0];
        assert_eq!(
            (small.sku.as_str(), small.stock, small.weight_grams),
            ("TEE-S", Some(3), 200),
            "{header}"
        );
        assert_eq!((small.prices["EUR"].as_str(), small.compare_at_prices["EUR"].as_str()), ("7", "9"));
        assert_eq!((tee.options.as_slice(), tee.tax_class.as_str()), (&["Size".to_owned()][..], "reduced"));
        assert_eq!((tee.description.as_str(), tee.categories.len(), tee.images.len()), ("Soft", 1, 1));
    }
    let text = "ID,Тип,Артикул,Имя\n1,simple,A,A\n";
    let refused = WOO.read(Box::new(Cursor::new(text.as_bytes().to_vec())), None).next();
    let Some(Item::Refused(problems)) = refused else { panic!("{refused:?}") };
    assert!(
        problems[0].is_last && problems[0].reason.contains("WordPress profile to English"),
        "{problems:?}"
    );
}

#[test]
fn a_product_of_too_many_variants_says_how_many() {
    let rows: String = (0..300).map(|n| format!("hat,Hat,Size,{n},H-{n},9\n")).collect();
    let text = format!("Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n{rows}");
    let told = read(SHOPIFY, &text);
    let hat = named(&told, "Hat");
    let (pointer, reason) = hat.row.to_import().expect_err("too many").remove(0);
    let problem = hat.problem(&pointer, &reason);
    assert_eq!((problem.line, problem.column.as_str()), (2, "Variant SKU"));
    assert!(reason.contains("300 variants") && reason.contains("at most 250"), "{reason}");
}
