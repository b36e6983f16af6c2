use contract::souk::product::v1 as pb;
use kernel::Error;

use super::shop::{Shop, bowl, fields};

async fn create(shop: &Shop, key: &str, parent: &str, name: &str) -> Result<pb::Category, Error> {
    let request = pb::CreateCategoryRequest {
        request_id: key.into(),
        parent_id: parent.into(),
        name: name.into(),
        slug: String::new(),
        position: 0,
    };
    let response = shop.staff.clone().create_category(request).await.map_err(contract::error)?;
    Ok(response.into_inner().category.expect("a category"))
}

async fn tree(shop: &Shop) -> Vec<String> {
    let response =
        shop.anybody.clone().list_categories(pb::ListCategoriesRequest::default()).await.expect("the tree");
    response.into_inner().categories.into_iter().map(|category| category.path).collect()
}

#[tokio::test(start_paused = true)]
async fn the_tree_grows_and_is_renamed_and_pruned() {
    let shop = Shop::open(1).await;
    let kitchen = create(&shop, "k-1", "", "Kitchen").await.expect("made");
    let mugs = create(&shop, "k-2", &kitchen.category_id, "Mugs & cups").await.expect("made");
    assert_eq!(tree(&shop).await, ["kitchen", "kitchen/mugs-and-cups"]);
    let again = create(&shop, "k-2", &kitchen.category_id, "Mugs & cups").await.expect("replayed");
    assert_eq!(again, mugs);
    let taken = create(&shop, "k-3", &kitchen.category_id, "Mugs & cups").await.expect_err("taken");
    assert_eq!((taken.reason(), fields(&taken)), ("SLUG_TAKEN", vec!["/slug"]));
    let request = pb::UpdateCategoryRequest {
        request_id: "k-4".into(),
        category_id: kitchen.category_id.clone(),
        version: 1,
        name: "Cooking".into(),
        slug: String::new(),
        position: 3,
    };
    let cooking = shop.staff.clone().update_category(request).await.expect("changed").into_inner().category;
    assert_eq!(cooking.expect("a category").version, 2);
    assert_eq!(tree(&shop).await, ["cooking", "cooking/mugs-and-cups"]);
    let delete = |key: &str, category: &pb::Category, version| pb::DeleteCategoryRequest {
        request_id: key.into(),
        category_id: category.category_id.clone(),
        version,
    };
    let full = shop.staff.clone().delete_category(delete("k-5", &kitchen, 2)).await.map_err(contract::error);
    assert_eq!(full.expect_err("not empty").reason(), "CATEGORY_NOT_EMPTY");
    let stale = shop.staff.clone().delete_category(delete("k-6", &mugs, 9)).await.map_err(contract::error);
    assert_eq!(stale.expect_err("stale").reason(), "VERSION_CONFLICT");
    shop.staff.clone().delete_category(delete("k-7", &mugs, 1)).await.expect("gone");
    assert_eq!(tree(&shop).await, ["cooking"]);
    let names = shop.event_names().await;
    assert_eq!(names, ["CategoryCreated", "CategoryCreated", "CategoryUpdated", "CategoryDeleted"]);
}

#[tokio::test(start_paused = true)]
async fn a_product_stands_in_its_categories_and_all_above() {
    let shop = Shop::open(2).await;
    let kitchen = create(&shop, "k-1", "", "Kitchen").await.expect("made");
    let mugs = create(&shop, "k-2", &kitchen.category_id, "Mugs").await.expect("made");
    let mut input = bowl("Mug", &[("M", 100)]);
    input.category_ids = vec![mugs.category_id.clone()];
    let product = shop.create("k-3", input.clone()).await.expect("made");
    assert_eq!(product.category_trail_ids, [kitchen.category_id.clone(), mugs.category_id.clone()]);
    let request = pb::DeleteCategoryRequest {
        request_id: "k-4".into(),
        category_id: mugs.category_id.clone(),
        version: 1,
    };
    shop.staff.clone().delete_category(request).await.expect("gone");
    assert_eq!(shop.variants(&["M"]).await.variants[0].category_trail_ids, [kitchen.category_id]);
    let error = shop.update("k-5", &product, input).await.expect_err("no such category");
    assert_eq!((error.reason(), fields(&error)), ("CATEGORY_NOT_FOUND", vec!["/product/category_ids/0"]));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_category_is_named() {
    let shop = Shop::open(3).await;
    let none = kernel::CategoryId::from_bits(5).to_string();
    assert_eq!(fields(&create(&shop, "k-1", &none, "X").await.expect_err("no parent")), ["/parent_id"]);
    assert_eq!(fields(&create(&shop, "k-2", "prd_1", "X").await.expect_err("no id")), ["/parent_id"]);
    assert_eq!(fields(&create(&shop, "k-3", "", " ").await.expect_err("no name")), ["/name"]);
    let get = shop.anybody.clone().get_category(pb::GetCategoryRequest { category_id: none.clone() }).await;
    assert_eq!(get.map_err(contract::error).expect_err("none").reason(), "CATEGORY_NOT_FOUND");
    let list = shop.anybody.clone().list_categories(pb::ListCategoriesRequest { root_id: none }).await;
    assert_eq!(list.map_err(contract::error).expect_err("none").reason(), "CATEGORY_NOT_FOUND");
}
