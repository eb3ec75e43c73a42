# SPDX-License-Identifier: Apache-2.0
"""Reduces WordNet 3.0 to src/text/nouns.txt, the nouns of captions and their roles:
apt-get download wordnet-base && dpkg -x wordnet-base*.deb wordnet
python3 scripts/noun_list.py wordnet/usr/share/wordnet > src/text/nouns.txt"""
import re
import sys
import textwrap
from collections import Counter, defaultdict
from pathlib import Path

FOLDER = Path(sys.argv[1])
FILES = """tops act animal artifact attribute body cognition communication event feeling food group location motive object person
phenomenon plant possession process quantity relation shape state substance time""".split()  # lexicographer files from number 3 on

THING_FILES = {"animal", "artifact", "food", "person", "plant", "object"}
SEEN_FILES = THING_FILES | {"location", "phenomenon", "group"}
# A sense is stuff where one of these is above it: what has no shape of its own, grounds, waters, places.
STUFF = """substance material liquid gas geological_formation body_of_water natural_elevation land atmosphere geographical_area district tract
way area partition horizontal_surface fabric facility establishment passage enclosure gramineous_plant vegetation weather precipitation
beverage condiment foodstuff meat dairy_product plot parcel ground atmospheric_phenomenon sea_ice""".split()
# What WordNet's most tagged sense says wrongly of a caption's word, seen in captions.
OVERRIDES = {
    "thing": """person man woman kid guy lady boy girl toddler player skier surfer skater batter pitcher catcher passenger crowd
        phone cellphone tv television screen monitor clock sign light~ lamp train bat ball racket racquet glove glass tie plate bowl cup
        table desk counter stove oven board kite skateboard surfboard snowboard mouse remote~ sink toilet bear toy doll bench meter
        hydrant tower building house plane jet airplane painting statue basket box bag vase plant flower tree leaf bush rock stone sun moon
        orange~ apple banana fruit vegetable salad sandwich cake donut doughnut pizza egg pancake cookie sculpture stall stand? rack
        ramp fence pole engine wheel truck van motorbike motorcycle bike scooter tray pan pot kettle blanket towel pillow rug curtain ski
        frisbee skateboarder snowboarder smartphone jeep newspaper magazine book clothes scissors shorts pants jeans""",
    "stuff": """sky water grass sand snow ice road street sidewalk floor wall ceiling field beach ocean sea lake river hill mountain forest woods
        wood dirt mud ground land cloud fog smoke hay rain park yard garden room kitchen bathroom bedroom track court runway pavement
        city town station airport platform crosswalk intersection restaurant store market zoo pasture meadow desert shore coast
        gravel pool pond slope wave shade coffee tea milk juice beer wine sauce cheese meat rice soup bread yarn""",
    "ignored": """photo photograph picture image shot view scene background foreground front back~ side top~ bottom middle center edge corner end
        left~ right~ part piece slice group bunch pair couple lot set row line number variety kind type pile stack herd flock team series
        way place area spot space thing item object day night time game match air color hand head face arm leg foot eye hair body
        surf trick turn? jump? ride? look? walk? run? hit? swing? distance direction display style shape size pattern design work? use?
        meal lunch dinner breakfast""",
}
COMPOUNDS = """traffic_light polar_bear french_fry high_chair stuffed_animal shopping_bag wine_glass dining_table cutting_board stop_light
street_light cell_phone teddy_bear""".split()  # things that WordNet lacks, or has as signs
CLOSED = """a an the and or but nor so yet of at by for from in into near off on onto out over past per than through to toward towards under up upon
with within without about above across after against along among around as before behind below beneath beside besides between beyond down during
he her hers him his i it its me mine my our ours she that their theirs them these they this those us we what which who whom whose you your am
are be been being can could did do does done had has have having is may might must shall should was were will would not no all any both each every
few more most much another such same own just very too also then there here when where while how if because until till several
next unto via half only even still ever never now many some other one two three four five six seven eight nine ten""".split()


def read_synsets():
    """Offset -> (lexicographer file, hypernyms' offsets, is a proper name); and each gloss."""
    synsets, glosses = {}, []
    for line in (FOLDER / "data.noun").read_text().splitlines():
        if line[0] == " ":
            continue
        fields, gloss = line.split(" | ", 1)
        glosses.append(gloss)
        fields = fields.split()
        words = int(fields[3], 16)
        names = fields[4:4 + 2 * words:2]
        pointers = fields[5 + 2 * words:]
        kinds, targets = pointers[0::4], pointers[1::4]
        hypernyms = [t for k, t in zip(kinds, targets) if k == "@"]
        proper = "@i" in kinds or all(name[0].isupper() for name in names)
        synsets[fields[0]] = FILES[int(fields[1]) - 3], hypernyms, proper, names[0]
    for part in ("verb", "adj"):
        glosses += [line.split(" | ", 1)[1] for line in (FOLDER / f"data.{part}").read_text().splitlines() if line[0] != " "]
    return synsets, glosses


def read_index(part):
    """Lemma -> offsets of its senses, the commonest first."""
    rows = (line.split() for line in (FOLDER / f"index.{part}").read_text().splitlines() if line[0] != " ")
    return {row[0]: row[-int(row[2]):] for row in rows}


def read_counts():
    """How often each noun sense, and each lemma as noun, verb and adjective, was tagged in WordNet's corpora."""
    senses, parts = Counter(), defaultdict(Counter)
    for line in (FOLDER / "cntlist.rev").read_text().splitlines():
        key, sense, count = line.split()
        lemma, part = key.split("%")[0], "?nvara"[int(key.split("%")[1][0])]
        parts[lemma][part] += int(count)
        if part == "n":
            senses[lemma, int(sense)] += int(count)
    return senses, parts


MARKS = "~?^"
SYNSETS, GLOSSES = read_synsets()
NOUNS, VERBS, ADJECTIVES = read_index("noun"), read_index("verb"), read_index("adj")
SENSE_COUNTS, PART_COUNTS = read_counts()
GLOSS_COUNTS = Counter()  # of words and of pairs of words
for text in GLOSSES:
    tokens = re.findall(r"[a-z]+", text)
    GLOSS_COUNTS.update(tokens)
    GLOSS_COUNTS.update(map(" ".join, zip(tokens, tokens[1:])))


def above(offset):
    """The first names of a sense and of all senses above it."""
    seen, stack = set(), [offset]
    while stack:
        _, hypernyms, _, name = SYNSETS[stack.pop()]
        seen.add(name)
        stack += hypernyms
    return seen


def sense_role(offset):
    """Of one sense; nothing for a proper name."""
    file, _, proper, _ = SYNSETS[offset]
    if proper:
        return None
    if file == "substance" or file in SEEN_FILES and above(offset).intersection(STUFF):
        return "stuff"
    return "thing" if file in THING_FILES else "ignored"


def role_of(lemma):
    """By the senses' tags; what can be seen counts four times, for a caption tells what can be seen."""
    weights = Counter()
    for i, offset in enumerate(NOUNS[lemma][:5]):
        role = sense_role(offset)
        if role is not None:
            weights[role] += (SENSE_COUNTS[lemma, i + 1] + 1 / (i + 1)) * (1 if role == "ignored" else 4)
    return weights.most_common(1)[0][0] if weights else None


def is_common(lemma, role):
    needed = 8 if role == "ignored" else 2
    return PART_COUNTS[lemma]["n"] > 0 or GLOSS_COUNTS[lemma] + GLOSS_COUNTS[lemma + "s"] >= needed


def mark_of(lemma, role):
    """'~': more often an adjective, '?': more often a verb, '^': at times a verb. The neighbours then tell."""
    counts = PART_COUNTS[lemma]
    if counts["a"] > counts["n"] or (counts["n"] == 0 and lemma in ADJECTIVES):
        return "~"
    stem = lemma.removesuffix("ing")
    participle = stem != lemma and (stem in VERBS or stem + "e" in VERBS or stem[-1:] == stem[-2:-1] and stem[:-1] in VERBS)
    if counts["v"] > counts["n"] or participle and (role == "ignored" or counts["n"] < 3):
        return "?"
    return "^" if counts["v"] > 0.2 * counts["n"] else ""


def is_other_form(lemma):
    """'talks', 'men': a plural or a verb's form that WordNet also lists by itself, and 'doe' for the sake of 'does'."""
    singular = lemma[:-2] + "an" if lemma.endswith("men") else lemma[:-1] if lemma.endswith("s") and not lemma.endswith("ss") else ""
    return singular in NOUNS or singular in VERBS or lemma + "s" in CLOSED or lemma == "people"


def single_words():
    """Role -> words with their marks."""
    out = defaultdict(set)
    forced = {word.rstrip(MARKS): (role, word) for role, words in OVERRIDES.items() for word in words.split()}
    for lemma in NOUNS:
        if not re.fullmatch("[a-z]{2,18}", lemma) or lemma in CLOSED or lemma in forced or is_other_form(lemma):
            continue
        role = role_of(lemma)
        if role is not None and is_common(lemma, role):
            out[role].add(lemma + mark_of(lemma, role))
    for role, word in forced.values():
        out[role].add(word if word[-1] in MARKS else word + mark_of(word, role).replace("?", "^").replace("~", ""))
    return out


def compounds(words):
    """Things of two words that their single words do not show: 'hot dog', 'parking meter'."""
    things = {word.rstrip("^") for word in words["thing"]}
    joinable = {word.rstrip("^") for role in ("thing", "stuff", "ignored") for word in words[role] if word[-1] not in "~?"}
    out = set(COMPOUNDS)
    for lemma in NOUNS:
        parts = lemma.split("_")
        if len(parts) != 2 or not re.fullmatch("[a-z_]+", lemma) or set(parts) & set(CLOSED):
            continue
        shown = parts[0] in joinable and parts[1] in things
        common = PART_COUNTS[lemma]["n"] > 0 or GLOSS_COUNTS[" ".join(parts)] >= 1
        files = {SYNSETS[offset][0] for offset in NOUNS[lemma]}
        if role_of(lemma) == "thing" and not shown and files & {"artifact", "food", "animal"} and common:
            out.add(lemma)
    return out


def plurals(words):
    """Irregular plurals of the listed words: 'children' -> 'child'."""
    known = {word.rstrip(MARKS) for role in words for word in words[role]}
    rows = [["people", "person"], *(line.split() for line in (FOLDER / "noun.exc").read_text().splitlines())]
    regular = [("", "s"), ("", "es"), ("y", "ies"), ("f", "ves"), ("fe", "ves"), ("man", "men")]
    return sorted((plural, singular) for plural, singular, *_ in rows
                  if singular in known and plural.isalpha() and plural not in known
                  and not any(singular.endswith(a) and plural == singular[:len(singular) - len(a)] + b for a, b in regular))


words = single_words()
words["thing compounds"] = compounds(words)
print("""# Nouns of captions, reduced by scripts/noun_list.py from WordNet 3.0, Copyright 2006 by Princeton University (licence: third_party/README.md).
# word: a noun; word~, word?: more often an adjective, a verb; word^: at times a verb; plural=singular where no rule makes it""")
for title, role in (("thing", "thing"), ("stuff", "stuff"), ("ignored", "ignored")):
    print(f"[{title}]")
    print(textwrap.fill(" ".join(sorted(words[role])), 120, break_on_hyphens=False))
print("[thing, of several words]")
print(textwrap.fill(" ".join(sorted(words["thing compounds"])), 120, break_on_hyphens=False))
print("[irregular]")
print(textwrap.fill(" ".join("=".join(pair) for pair in plurals(words)), 120, break_on_hyphens=False))
