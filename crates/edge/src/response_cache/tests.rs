use super::*;

struct Still(Mutex<Duration>);
impl Clock for Still {
    fn now(&self) -> kernel::Timestamp {
        kernel::Timestamp::from_secs(0)
    }
    fn monotonic(&self) -> Duration {
        *self.0.lock()
    }
}

const KEEP: Keep = Keep { fresh: Duration::from_secs(10), stale: Duration::from_secs(60) };

fn cache(bytes_max: usize) -> (Arc<Still>, ResponseCache) {
    let clock = Arc::new(Still(Mutex::new(Duration::ZERO)));
    (clock.clone(), ResponseCache::new(clock, bytes_max).expect("a cache"))
}

fn flight(cache: &ResponseCache, key: &str) -> Flight {
    let Turn::Make(flight) = cache.turn(key) else { panic!("nobody else makes it") };
    flight
}

fn response(cache: &ResponseCache, flight: &Flight, tags: &[&str], bytes: usize) -> Arc<CachedResponse> {
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let body = Bytes::from(vec![b'x'; bytes].into_boxed_slice());
    cache.response(flight, Content { body, page: true, tags, ..Content::default() }, KEEP)
}

fn put(cache: &ResponseCache, key: &str, tags: &[&str], bytes: usize) -> bool {
    let flight = flight(cache, key);
    cache.insert(key, response(cache, &flight, tags, bytes))
}

fn is_fresh(cache: &ResponseCache, key: &str) -> bool {
    matches!(cache.find(key), Found::Fresh(..))
}

#[test]
fn fresh_then_stale_then_gone() {
    let (clock, cache) = cache(1 << 20);
    assert!(put(&cache, "a", &[], 10));
    assert!(matches!(cache.find("a"), Found::Fresh(_, left) if left == Duration::from_secs(10)));
    *clock.0.lock() = Duration::from_secs(11);
    assert!(matches!(cache.find("a"), Found::Stale(_)));
    *clock.0.lock() = Duration::from_secs(60);
    assert!(matches!(cache.find("a"), Found::Nothing));
}

#[test]
fn what_changed_is_dropped_wherever_it_shows() {
    let (_, cache) = cache(1 << 20);
    put(&cache, "a", &["bowl"], 10);
    put(&cache, "b", &["bowl", "mug"], 10);
    put(&cache, "c", &["mug"], 10);
    assert!(["a", "b", "c"].iter().all(|key| is_fresh(&cache, key)));
    cache.drop_tag("bowl");
    assert_eq!(["a", "b", "c"].map(|key| is_fresh(&cache, key)), [false, false, true]);
    assert!(put(&cache, "a", &["bowl"], 10) && is_fresh(&cache, "a"), "made after the change");
    cache.change_all();
    assert!(!["a", "c"].iter().any(|key| is_fresh(&cache, key)));
    assert!(put(&cache, "a", &["bowl"], 10) && is_fresh(&cache, "a"));
}

#[test]
fn what_changed_while_it_was_made_is_not_kept() {
    let (_, cache) = cache(1 << 20);
    let first = flight(&cache, "a");
    assert!(matches!(cache.turn("a"), Turn::Wait(_)));
    cache.drop_tag("bowl");
    assert!(!cache.insert("a", response(&cache, &first, &["bowl"], 10)));
    assert!(cache.insert("a", response(&cache, &first, &["mug"], 10)), "something else changed");
    drop(first);
    let second = flight(&cache, "a");
    cache.change_all();
    assert!(!cache.insert("a", response(&cache, &second, &[], 10)), "everything may have changed");
}

#[test]
fn it_is_never_larger_than_allowed() {
    let (_, cache) = cache(400_000);
    for number in 0..2_000 {
        put(&cache, &format!("k{number}"), &["tag"], 1_000);
        let (entries, bytes) = cache.size();
        assert!(bytes <= 400_000, "{entries} {bytes}");
    }
    let (entries, bytes) = cache.size();
    assert!((100..200).contains(&entries) && bytes > 350_000, "{entries} {bytes}");
    assert!(is_fresh(&cache, "k1999"), "the newest is there");
    assert!(!put(&cache, "huge", &[], 100_000));
}

#[test]
fn what_is_asked_for_often_stays_when_strangers_ask_for_much() {
    let (_, cache) = cache(400_000);
    put(&cache, "home", &[], 1_000);
    for number in 0..20_000 {
        put(&cache, &format!("k{number}"), &[], 1_000);
        if number % 10 == 0 {
            assert!(is_fresh(&cache, "home"), "after {number}");
        }
    }
}

#[test]
fn variants_keys_and_tags_count() {
    let (_, cache) = cache(4 << 20);
    put(&cache, "a", &[], 1_000);
    let plain = cache.size().1;
    let Found::Fresh(kept, _) = cache.find("a") else { panic!("kept") };
    let bytes = Bytes::from(vec![b'y'; 900].into_boxed_slice());
    let variant = Variant { bytes, etag: HeaderValue::from_static("\"1\""), encoding: Encoding::Brotli };
    kept.variants[Encoding::Brotli.index()].set(variant).expect("the first");
    cache.weigh("a", &kept);
    let with_variant = cache.size().1;
    assert!(with_variant >= plain + 900, "{plain} {with_variant}");
    cache.weigh("a", &kept);
    assert_eq!(cache.size().1, with_variant, "weighed once");
    let key = "b".repeat(2_000);
    let tags: Vec<String> = (0..1_000).map(|number| format!("sku:{number}")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    put(&cache, &key, &tags, 0);
    assert!(cache.size().1 >= with_variant + 2_000 + 4_000);
    let long = "c".repeat(KEY_BYTES_MAX + 1);
    assert!(!put(&cache, &long, &[], 10), "its key is too long");
}

#[test]
fn what_is_being_made_is_bounded() {
    let (_, cache) = cache(1 << 20);
    let flights: Vec<Flight> =
        (0..FLIGHTS_MAX + 10).map(|number| flight(&cache, &number.to_string())).collect();
    assert_eq!(flights.iter().filter(|flight| flight.is_shared()).count(), FLIGHTS_MAX);
    assert!(matches!(cache.turn("0"), Turn::Wait(_)));
    drop(flights);
    assert!(cache.flights.lock().is_empty() && flight(&cache, "0").is_shared());
}

/// Dropping a tag that all entries have costs as much as one that none has: looking at 20,000 entries 100,000 times would take
/// minutes.
#[test]
fn a_change_touches_no_entry() {
    let (_, cache) = cache(64 << 20);
    for number in 0..20_000 {
        put(&cache, &number.to_string(), &["all"], 100);
    }
    let kept = cache.size();
    assert_eq!(kept.0, 20_000);
    for _ in 0..100_000 {
        cache.drop_tag("all");
    }
    assert_eq!(cache.size(), kept, "they go when they are looked up or evicted");
    assert!(!is_fresh(&cache, "1"));
}

#[test]
fn what_could_not_be_made_anew_is_left_alone_for_a_while() {
    let (clock, cache) = cache(1 << 20);
    *clock.0.lock() = Duration::from_secs(1);
    put(&cache, "a", &[], 10);
    let Found::Fresh(kept, _) = cache.find("a") else { panic!("kept") };
    assert!(kept.may_be_renewed(clock.monotonic()));
    kept.renewal_failed(clock.monotonic());
    *clock.0.lock() += RENEWAL_PAUSE - Duration::from_millis(1);
    assert!(!kept.may_be_renewed(clock.monotonic()));
    *clock.0.lock() += Duration::from_millis(1);
    assert!(kept.may_be_renewed(clock.monotonic()));
}
