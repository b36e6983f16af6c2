//! What a thing is: the kinds that can be drawn, and how a name chooses one.

use crate::word;

/// How much a word says about what a thing is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// It often only describes: "glass", "star". It decides where nothing else does.
    Hint,
    /// It names the thing.
    Noun,
}

// One entry: the variant, its word, its noun, its comment, the words that name it, the words that hint at it.
macro_rules! kinds {
    ($($name:ident $word:literal $noun:literal $doc:literal [$($nouns:literal),*] [$($hints:literal),*];)*) => {
        /// A kind of thing that can be drawn.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $(#[doc = $doc] $name,)* }

        impl Kind {
            /// Every kind, in the order of the shop.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word for addresses: lower-case letters a to z only.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What an alt text calls it, without an article: "bowl", "string of flags".
            #[must_use]
            pub fn noun(self) -> &'static str {
                match self { $(Self::$name => $noun,)* }
            }

            fn phrases(self) -> (&'static [&'static str], &'static [&'static str]) {
                match self { $(Self::$name => (&[$($nouns,)*], &[$($hints,)*]),)* }
            }
        }
    };
}

kinds! {
    Bowl "bowl" "bowl" "A bowl on a foot."
        ["bowl", "colander", "basin", "mixing bowl"]
        [];
    Dish "dish" "dish" "A wide, low dish."
        ["dish", "ashtray", "pudding basin", "roasting tin"]
        [];
    Plate "plate" "plate" "A plate, from above."
        ["plate", "saucer", "platter", "coaster", "side plate"]
        ["porcelain"];
    Mug "mug" "mug" "A mug with a handle."
        ["mug", "beaker", "tankard"]
        [];
    Cup "cup" "cup" "A cup on a saucer."
        ["cup", "teacup", "eggcup", "egg cup"]
        ["coffee"];
    Teapot "teapot" "teapot" "A teapot."
        ["teapot", "tea pot", "kettle", "coffee pot"]
        [];
    Cosy "cosy" "tea cosy" "A quilted tea cosy."
        ["cosy", "cozy"]
        [];
    Glass "glass" "glass" "A glass with something in it."
        ["tumbler", "wineglass", "goblet", "wine glass", "shot glass"]
        ["glass"];
    Bottle "bottle" "bottle" "A bottle or carafe."
        ["bottle", "carafe", "decanter", "oil", "vinegar", "diffuser"]
        ["perfume", "essence"];
    Jug "jug" "jug" "A jug with a lip."
        ["jug", "pitcher", "creamer", "milk jug"]
        [];
    Vase "vase" "vase" "A vase with a sprig."
        ["vase", "planter", "plant pot", "flower pot"]
        ["flower", "blossom", "pot", "plant", "lily"];
    Jar "jar" "jar" "A jar with a lid."
        ["jar", "honey", "jam", "marmalade", "chutney", "sugar", "money bank", "terrarium"]
        ["pantry", "food", "bank"];
    Tin "tin" "tin" "A tin with a lid."
        ["caddy", "canister", "cannister", "biscuit tin", "cake tin", "tea tin", "storage tin", "sencha",
         "bin", "bucket"]
        ["tin", "tea"];
    Can "can" "watering can" "A watering can."
        ["watering can"]
        ["garden", "gardener"];
    Tray "tray" "tray" "A tray, from above."
        ["tray", "desk tray", "placemat", "place mat"]
        ["tidy"];
    Board "board" "board" "A board for bread or cheese."
        ["board", "chopping board", "cheese board", "blackboard", "chalkboard"]
        [];
    Cutlery "cutlery" "set of cutlery" "A fork, a knife and a spoon."
        ["cutlery", "spoon", "fork", "knife", "whisk", "spatula", "cutlery set"]
        ["utensil", "server"];
    Cakestand "cakestand" "cake stand" "A cake stand."
        ["cakestand", "cake stand"]
        ["tier"];
    Cake "cake" "small cake" "A small cake in its case."
        ["cupcake", "muffin", "cake case", "fairy cake"]
        ["cake", "baking", "cookie"];
    Cloth "cloth" "cloth" "A cloth over a rail."
        ["towel", "cloth", "table cloth", "tea towel", "napkin", "runner", "tablecloth", "flannel",
         "serviette", "tissue", "table runner", "doily"]
        ["linen", "bathroom"];
    Apron "apron" "apron" "An apron with pockets."
        ["apron", "pinafore"]
        [];
    Lamp "lamp" "lamp" "A lamp with a shade."
        ["lamp", "table lamp", "lampshade", "chandelier"]
        ["light", "shade"];
    Desklight "desklight" "reading lamp" "A lamp with an arm."
        ["reading lamp", "desk lamp", "clip lamp", "floor lamp", "spotlight", "torch"]
        [];
    Globe "globe" "paper lantern" "A paper lantern."
        ["globe", "paper lantern", "paper globe", "honeycomb", "paper ball"]
        [];
    Lantern "lantern" "lantern" "A lantern with a candle."
        ["lantern", "storm lantern", "birdcage", "candle house"]
        ["cage"];
    Candle "candle" "pair of candles" "Candles in their sticks."
        ["candle", "taper", "candlestick", "candle holder", "candleholder", "candelabra", "incense"]
        ["wick"];
    Tealight "tealight" "tealight" "A light in a small glass."
        ["tealight", "t light", "tea light", "tlight", "votive", "nightlight", "night light",
         "t light holder", "tealight holder", "tea light holder", "light holder", "tin candle",
         "pot candle", "candlepot"]
        [];
    Rug "rug" "rug" "A rug with a fringe."
        ["rug", "mat", "carpet", "doormat", "door mat", "bath mat", "kilim"]
        [];
    Cushion "cushion" "cushion" "A square cushion."
        ["cushion", "pillow", "cushion cover", "pincushion", "doorstop", "door stop"]
        ["pad"];
    Pouf "pouf" "round cushion" "A round cushion for the floor."
        ["pouf", "floor cushion", "footstool", "stool", "round cushion", "zafu"]
        [];
    Blanket "blanket" "folded blanket" "A folded blanket."
        ["blanket", "throw", "quilt", "bedspread", "plaid"]
        ["fleece"];
    Scarf "scarf" "scarf" "A scarf with a fringe."
        ["scarf", "shawl", "muffler", "wrap scarf"]
        ["wear"];
    Square "square" "silk square" "A printed square."
        ["silk square", "headscarf", "handkerchief", "hankie", "bandana", "neckerchief"]
        ["silk"];
    Warmer "warmer" "hot-water bottle" "A hot-water bottle in its cover."
        ["water bottle", "hot water bottle", "warmer", "hand warmer", "hottie"]
        [];
    Basket "basket" "basket" "A woven basket."
        ["basket", "hamper", "trug", "picnic basket"]
        ["wicker"];
    Bag "bag" "bag" "A bag with handles."
        ["bag", "tote", "handbag", "shopper", "backpack", "rucksack", "satchel", "washbag", "lunch bag",
         "tote bag", "case", "cover"]
        ["luggage"];
    Purse "purse" "purse" "A purse with a clasp."
        ["purse", "wallet", "coin purse", "make up", "pouch", "passport cover", "card holder", "cardholder"]
        ["passport"];
    Umbrella "umbrella" "umbrella" "An open umbrella."
        ["umbrella", "parasol", "brolly"]
        [];
    Clock "clock" "clock" "A round wall clock."
        ["clock", "wall clock", "timer", "thermometer", "watch", "barometer"]
        ["time"];
    Alarm "alarm" "alarm clock" "A clock with two bells."
        ["alarm", "alarm clock"]
        ["bell", "bakelike"];
    Mantel "mantel" "mantel clock" "A clock for the shelf."
        ["mantel clock", "table clock"]
        [];
    Frame "frame" "picture frame" "A framed picture."
        ["frame", "picture frame", "photo frame", "print", "poster", "canvas print", "album"]
        ["picture", "photo", "art", "painting"];
    Mirror "mirror" "mirror" "A round mirror."
        ["mirror"]
        ["mirrored"];
    Sign "sign" "hanging sign" "A sign on a string."
        ["sign", "plaque", "door sign", "doorsign", "tag", "gift tag"]
        ["door"];
    Hook "hook" "row of hooks" "Hooks on a board."
        ["hook", "hanger", "rack", "coat rack", "coat hook", "knob", "drawerknob", "doorknob", "key rack",
         "hat stand"]
        ["drawer", "key"];
    Box "box" "box" "A box with a lid."
        ["box", "cabinet", "drawer", "chest", "trinket", "storage box", "lunch box", "snack box", "crate",
         "container"]
        ["storage", "case"];
    Notebook "notebook" "notebook" "A notebook."
        ["notebook", "journal", "jotter", "sketchbook", "diary", "notepad", "memo pad", "address book",
         "planner", "organiser"]
        ["memo", "note"];
    Book "book" "book" "A hardback book."
        ["book", "cookbook", "recipe book"]
        [];
    Pen "pen" "pen and pencil" "A pen and a pencil."
        ["pen", "pencil", "biro", "ballpoint", "crayon", "chalk stick", "pencil case"]
        ["eraser", "sharpener"];
    Calendar "calendar" "calendar" "A calendar with a sheet for a month."
        ["calendar", "advent calendar"]
        [];
    Card "card" "card with its envelope" "A card and its envelope."
        ["card", "postcard", "envelope", "invite", "invitation", "greeting card", "playing card",
         "stationery"]
        ["greeting", "letter", "sticker"];
    Packet "packet" "packet" "A paper packet with a plant."
        ["seed", "packet", "sachet", "bulb", "herb"]
        ["mint", "leaf", "grow", "spice"];
    Parcel "parcel" "wrapped parcel" "A parcel with a bow."
        ["parcel", "wrap", "gift wrap", "ribbon", "wrapping", "gift", "present"]
        ["paper", "tape", "craft"];
    Heart "heart" "hanging heart" "A heart on a string."
        ["hanging heart", "heart decoration", "wicker heart", "heart wicker", "heart of wicker"]
        ["heart", "sweetheart", "love"];
    Star "star" "hanging star" "A star on a string."
        ["hanging star", "star decoration", "christmas star", "snowflake"]
        ["star"];
    Bauble "bauble" "bauble" "A bauble on a thread."
        ["bauble", "decoration", "ornament", "hanging decoration", "egg"]
        ["christmas", "easter", "xmas"];
    Tree "tree" "small tree" "A small wooden tree."
        ["christmas tree", "wooden tree", "tree decoration"]
        ["tree"];
    Garland "garland" "string of flags" "Flags on a string."
        ["garland", "bunting", "paper chain", "chain kit", "fairy light", "string of light", "streamer",
         "flag"]
        ["chain", "party", "string", "banner"];
    Bird "bird" "bird" "A small wooden bird."
        ["bird ornament", "dove", "chick", "owl", "duck", "hen"]
        ["bird", "chicken", "robin", "feather"];
    Doll "doll" "nesting doll" "A painted nesting doll."
        ["doll", "babushka", "dolly", "soldier", "spaceboy", "dolly girl"]
        ["toy", "girl", "child", "children", "kid"];
    Jewel "jewel" "piece of jewellery" "A string of beads with a pendant."
        ["necklace", "bracelet", "earring", "brooch", "bangle", "necklac", "neckl", "pendant", "charm",
         "jewellery", "hair clip", "hairband", "keyring", "hairslide", "hair grip", "hair band", "bead"]
        ["ring", "diamante", "hair", "bling"];
    Tile "tile" "patterned tile" "A patterned tile with initials: what stands for all the rest."
        ["tile"]
        [];
}

/// Words after which only more about the thing is told: "tray with legs", "tealights in glass".
const AFTER: &[&str] = &["with", "in", "for", "and", "from", "on", "w"];
/// What comes in these is the thing: "set of three bowls" is bowls.
const SETS: &[&str] = &["set", "pack", "pair", "box", "bag", "roll", "piece", "assorted"];

impl Kind {
    /// The kind that words of the name ask for, else words of the category, else a tile.
    #[must_use]
    pub fn of(name: &str, category: &str) -> Self {
        // After a comma stands a variant or a number: "Lambswool scarf, Bottle green".
        let (thing, more) = name.split_once([',', '(']).unwrap_or((name, ""));
        let (thing, more, category) = (nouns(thing), nouns(more), word::words(category));
        let (head, rest) = head(&thing);
        best(head, Weight::Noun)
            .or_else(|| best(rest, Weight::Noun))
            .or_else(|| best(&more, Weight::Noun))
            .or_else(|| best(head, Weight::Hint))
            .or_else(|| best(&category, Weight::Noun))
            .or_else(|| best(rest, Weight::Hint))
            .or_else(|| best(&more, Weight::Hint))
            .or_else(|| best(&category, Weight::Hint))
            .unwrap_or(Self::Tile)
    }

    /// The kind with this word, as [`Kind::as_str`] writes it.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// The words of a text that can name a thing: not the bottle of "bottle green", nor the owl of "owl design".
fn nouns(text: &str) -> Vec<String> {
    let words = word::words(text);
    let describes = |index: usize| {
        let next = words.get(index + 1).map_or("", String::as_str);
        next == "design" || (words[index] == "bottle" && next == "green")
    };
    words.iter().enumerate().filter(|(index, _)| !describes(*index)).map(|(_, word)| word.clone()).collect()
}

/// Parts a name before what only tells more.
fn head(words: &[String]) -> (&[String], &[String]) {
    let is = |word: &String, list: &[&str]| list.contains(&word.as_str());
    let parting = |index: usize| {
        let word = &words[index];
        let holds = index.checked_sub(1).and_then(|before| words.get(before));
        is(word, AFTER) || (word == "of" && holds.is_some_and(|holds| !is(holds, SETS)))
    };
    let at = (1..words.len()).find(|index| parting(*index)).unwrap_or(words.len());
    words.split_at(at)
}

/// The kind with the longest phrase; of those, the one that ends last, as the thing of an English name does.
fn best(words: &[String], weight: Weight) -> Option<Kind> {
    let mut found: Option<(usize, usize, Kind)> = None;
    for kind in Kind::ALL {
        let (nouns, hints) = kind.phrases();
        for phrase in if weight == Weight::Noun { nouns } else { hints } {
            let parts: Vec<&str> = phrase.split(' ').collect();
            let Some(at) = words.windows(parts.len()).rposition(|window| window == parts) else { continue };
            if found.is_none_or(|(length, last, _)| (parts.len(), at) > (length, last)) {
                found = Some((parts.len(), at, *kind));
            }
        }
    }
    found.map(|(_, _, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn a_word_leads_back_to_its_kind() {
        for kind in Kind::ALL {
            assert!(kind.as_str().bytes().all(|byte| byte.is_ascii_lowercase()), "{kind:?}");
            assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(Kind::parse("Bowl"), None);
    }

    #[test]
    fn phrases_are_written_as_names_are_read() {
        for kind in Kind::ALL {
            let (nouns, hints) = kind.phrases();
            for phrase in nouns.iter().chain(hints) {
                assert_eq!(crate::word::words(phrase).join(" "), *phrase, "{kind:?}");
            }
        }
    }

    #[test]
    fn names_of_a_gift_shop_find_their_kind() {
        for (name, kind) in [
            ("WHITE HANGING HEART T-LIGHT HOLDER", Kind::Tealight),
            ("HEART OF WICKER SMALL", Kind::Heart),
            ("JUMBO BAG RED RETROSPOT", Kind::Bag),
            ("LUNCH BAG  BLACK SKULL.", Kind::Bag),
            ("ALARM CLOCK BAKELIKE GREEN", Kind::Alarm),
            ("SET OF 3 CAKE TINS PANTRY DESIGN", Kind::Tin),
            ("PAPER CHAIN KIT 50'S CHRISTMAS", Kind::Garland),
            ("HAND WARMER UNION JACK", Kind::Warmer),
            ("KNITTED UNION FLAG HOT WATER BOTTLE", Kind::Warmer),
            ("REGENCY CAKESTAND 3 TIER", Kind::Cakestand),
            ("WOODEN PICTURE FRAME WHITE FINISH", Kind::Frame),
            ("ASSORTED COLOUR BIRD ORNAMENT", Kind::Bird),
            ("PACK OF 72 RETROSPOT CAKE CASES", Kind::Cake),
            ("CREAM CUPID HEARTS COAT HANGER", Kind::Hook),
            ("GLASS STAR FROSTED T-LIGHT HOLDER", Kind::Tealight),
            ("BOX OF 24 COCKTAIL PARASOLS", Kind::Umbrella),
            ("Tealights in glass, box of twelve", Kind::Tealight),
            ("Breakfast tray with legs", Kind::Tray),
            ("Lambswool scarf, Bottle green", Kind::Scarf),
            ("HOT WATER BOTTLE BABUSHKA", Kind::Warmer),
            ("HAND WARMER OWL DESIGN", Kind::Warmer),
            ("TEA TIME TABLE CLOTH", Kind::Cloth),
            ("POSTAGE", Kind::Tile),
        ] {
            assert_eq!(Kind::of(name, ""), kind, "{name}");
        }
    }

    #[test]
    fn a_category_decides_where_a_name_does_not() {
        assert_eq!(Kind::of("Bread, slowly", "Books"), Kind::Book);
        assert_eq!(Kind::of("Breakfast", "Larder/Tea"), Kind::Tin);
        assert_eq!(Kind::of("Harbour", "Kitchen/Bowls and dishes"), Kind::Dish);
        assert_eq!(Kind::of("", ""), Kind::Tile);
    }
}
