use super::*;

pub(crate) fn limits() -> Limits {
    Limits {
        connections_max: 8,
        per_address_max: 4,
        greeting: Duration::from_secs(10),
        head: Some(Duration::from_secs(20)),
        idle: Duration::from_secs(30),
        write: Duration::from_secs(20),
    }
}

fn table() -> (Arc<Table>, Arc<ListenerMetrics>) {
    let metrics = Arc::new(ListenerMetrics::default());
    (Table::new("grpc", limits(), metrics.clone()), metrics)
}

fn peer(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 1))
}

fn is_cut(connection: &Connection) -> bool {
    connection.is_cut()
}

#[tokio::test(start_paused = true)]
async fn one_address_displaces_its_own_and_nobody_elses() {
    let (table, metrics) = table();
    let other = table.admit(peer(9)).expect("room");
    let mut own = Vec::new();
    for _ in 0..4 {
        tokio::time::advance(Duration::from_millis(5)).await;
        own.push(table.admit(peer(1)).expect("room"));
    }
    let fifth = table.admit(peer(1)).expect("in place of the oldest");
    assert!(is_cut(&own[0]) && !is_cut(&own[1]) && !is_cut(&other));
    assert_eq!(metrics.count("grpc", "displaced"), 1);
    drop(own.remove(0));
    let busy: Vec<_> = own.iter().chain([&fifth]).map(Connection::begin_request).collect();
    assert!(table.admit(peer(1)).is_none(), "all of its connections are busy");
    assert!(table.admit(peer(2)).is_some(), "another address has its own share");
    drop(busy);
    assert!(table.admit(peer(1)).is_none(), "nobody looks again for a moment");
    tokio::time::advance(SEARCH_PAUSE).await;
    assert!(table.admit(peer(1)).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_full_listener_closes_what_is_idle_longest() {
    let (table, _) = table();
    let mut open = Vec::new();
    for number in 0..8 {
        tokio::time::advance(Duration::from_millis(5)).await;
        open.push(table.admit(peer(number)).expect("room"));
    }
    drop(open[0].begin_request());
    let ninth = table.admit(peer(100)).expect("in place of the one that is idle longest");
    assert_eq!(open.iter().map(|open| is_cut(open)).collect::<Vec<_>>()[..3], [false, true, false]);
    let busy: Vec<_> = open.iter().chain([&ninth]).map(Connection::begin_request).collect();
    assert!(table.admit(peer(101)).is_none(), "everybody is busy");
    drop((busy, open, ninth));
    assert!(table.connections.lock().by_address.is_empty() && table.connections.lock().all.open == 0);
}

#[tokio::test(start_paused = true)]
async fn when_all_are_busy_a_newcomer_displaces_the_oldest_of_who_has_most() {
    let (table, metrics) = table();
    let mut open = Vec::new();
    for last in [1, 2, 2, 2, 3, 3, 3, 3] {
        tokio::time::advance(Duration::from_millis(5)).await;
        open.push(table.admit(peer(last)).expect("room"));
    }
    let busy: Vec<_> = open.iter().map(Connection::begin_request).collect();
    tokio::time::advance(Duration::from_millis(5)).await;
    assert!(table.admit(peer(3)).is_none(), "it has its share");
    assert!(table.admit(peer(2)).is_none(), "three are as many as the other would have");
    let first = table.admit(peer(9)).expect("in place of another's, whoever searched in vain a moment ago");
    let cut: Vec<_> = (0..8).filter(|number| is_cut(&open[*number])).collect();
    assert_eq!(cut, [4], "the oldest of the one that has four");
    let _request = first.begin_request();
    let _second = table.admit(peer(10)).expect("from one that has three");
    assert_eq!(metrics.count("grpc", "displaced"), 2);
    assert!(!is_cut(&open[0]) && !is_cut(&first), "who has one keeps it");
    drop(busy);
}

#[tokio::test(start_paused = true)]
async fn sockets_leave_a_part_to_pages() {
    let (table, _) = table();
    let open: Vec<_> = (0..8).map(|last| table.admit(peer(last)).expect("room")).collect();
    let mut sockets: Vec<_> = open.iter().map_while(|connection| connection.open_socket()).collect();
    assert_eq!(sockets.len(), 7);
    assert!(open[7].open_socket().is_none());
    sockets.pop();
    assert!(open[7].open_socket().is_some());
}

#[tokio::test(start_paused = true)]
async fn large_pages_that_lie_are_ended_sooner() {
    let (table, _) = table();
    let mut open = Vec::new();
    for number in 0..4 {
        tokio::time::advance(Duration::from_millis(5)).await;
        let connection = table.admit(peer(number)).expect("room");
        connection.greet();
        connection.note_answer(policy::UNREAD_PAGES_BYTES_MAX / 2);
        connection.note_blocked(true);
        open.push(connection);
    }
    table.sweep();
    assert!(!open.iter().any(|open| is_cut(open)), "they have a moment");
    tokio::time::advance(policy::UNREAD_PAGES_TIMEOUT).await;
    table.sweep();
    assert_eq!(open.iter().map(|open| is_cut(open)).collect::<Vec<_>>(), [true, true, false, false]);
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_or_takes_nothing_is_ended() {
    let (table, metrics) = table();
    let silent = table.admit(peer(1)).expect("room");
    let unread = table.admit(peer(2)).expect("room");
    let resting = table.admit(peer(3)).expect("room");
    let busy = table.admit(peer(4)).expect("room");
    let _request = busy.begin_request();
    drop(resting.begin_request());
    unread.greet();
    unread.note_blocked(true);
    tokio::time::advance(Duration::from_secs(9)).await;
    table.sweep();
    assert!(
        [&silent, &unread, &resting, &busy]
            .iter()
            .all(|open| open.fault(table.now(), Instant::now(), &limits()).is_none())
    );
    tokio::time::advance(Duration::from_secs(1)).await;
    unread.note_blocked(true);
    table.sweep();
    assert!(is_cut(&silent) && !is_cut(&unread));
    tokio::time::advance(Duration::from_secs(10)).await;
    table.sweep();
    assert!(is_cut(&unread), "since it was first blocked");
    tokio::time::advance(Duration::from_secs(10)).await;
    table.sweep();
    assert_eq!(resting.ending().await, End::Retire);
    let fault = busy.fault(table.now(), Instant::now(), &limits());
    assert_eq!(fault, None, "a request may take as long as its deadline allows");
    let counts = ["silent", "unread", "idle"].map(|why| metrics.count("grpc", why));
    assert_eq!(counts, [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_full_address_is_not_looked_through_for_every_newcomer() {
    let (table, metrics) = table();
    let open: Vec<_> = (0..4).map(|_| table.admit(peer(1)).expect("room")).collect();
    let mut busy: Vec<_> = open.iter().map(Connection::begin_request).collect();
    assert!(table.admit(peer(1)).is_none());
    drop(busy.pop());
    for _ in 0..10 {
        assert!(table.admit(peer(1)).is_none());
    }
    assert_eq!((metrics.count("grpc", "refused"), metrics.count("grpc", "displaced")), (11, 0));
    tokio::time::advance(SEARCH_PAUSE).await;
    assert!(table.admit(peer(1)).is_some(), "in place of the one without a request");
}

#[tokio::test(start_paused = true)]
async fn what_is_leaving_already_makes_room_for_one_newcomer_and_not_for_each() {
    let (table, metrics) = table();
    let mut open: Vec<_> = (0..8).map(|last| table.admit(peer(last)).expect("room")).collect();
    open.push(table.admit(peer(20)).expect("in place of one that has no request"));
    open.push(table.admit(peer(21)).expect("in place of another"));
    assert_eq!(metrics.count("grpc", "displaced"), 2);
    open.retain(|connection| !connection.is_cut());
    assert_eq!(open.len(), 8);
    open.truncate(7);
    open.push(table.admit(peer(22)).expect("room"));
    assert_eq!(metrics.count("grpc", "displaced"), 2, "there was room");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_not_end_when_asked_is_cut_or_displaced() {
    let (table, metrics) = table();
    let stays = table.admit(peer(1)).expect("room");
    stays.greet();
    tokio::time::advance(limits().idle).await;
    table.sweep();
    assert_eq!(stays.ending().await, End::Retire);
    tokio::time::advance(limits().write - Duration::from_secs(1)).await;
    table.sweep();
    assert!(!is_cut(&stays), "it has time to close");
    tokio::time::advance(Duration::from_secs(1)).await;
    table.sweep();
    assert!(is_cut(&stays));

    let retired: Vec<_> = (0..4).map(|_| table.admit(peer(2)).expect("room")).collect();
    assert!(retired.iter().all(|connection| connection.ask_to_end(End::Retire)));
    assert!(table.admit(peer(2)).is_some(), "in place of one that was asked to end");
    assert_eq!(metrics.count("grpc", "displaced"), 1);
}
