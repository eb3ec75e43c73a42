# SPDX-License-Identifier: Apache-2.0
"""A small vocab.txt under tests/text/data/word_piece, and what transformers' BertTokenizer makes of 2,000 texts with it, and of 300 each
when it keeps capitals and accents, or strips accents alone and leaves Chinese characters together:
.deps/peers/bin/python scripts/baselines/word_piece.py tests/text/data"""
import json
import random
import string
import sys
import tempfile
from pathlib import Path

from tokenizer import ALPHABETS, WORDS, caption, texts, write
from transformers import BertTokenizer

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PARTS = "ing er ed board tt book fly walk ball erella light bbee cycle nes no dé \u0301 00".split()
CHARACTERS = string.ascii_letters + string.digits + string.punctuation + "éüßñçøåæœıα β жя日本语語한가ไ١²½ﬁ𝐀😀👍☃€£…—“”、，।"
HARD = """
[MASK]|a [MASK] dog|[mask]|[CLS]a[SEP]b[PAD][UNK]|[MASK][MASK]s|[MASKED] [ MASK ]|##s|a ##ing|#hash ## ###|dogs walking skateboarders|Skateboarders'
DÉJÀ VU|déja\u0301|e\u0301e\u0301\u0323e|İstanbul İİ|ǅ ẞ ß ﬁ|naïve naive NAÏVE|日本語の本|a日b本c|日\u0301本|한국어 가각|\U0002a6df\U0002b820\U0002b920|㐀豈
a\u0000b|a\u0007b|a\u200bb|a\u00adb|a\u007fb|a\u0085b|a\u2028b|a\u00a0b|a\u000bb\u000cc|\ufffd|a\ufffdb|\ue000x|a\U0010fffdb|\ufeffbom|a\u061cb|\u0301|\u0301a|a \u0301 b
x²½Ⅷ٣|$5 €5 £5 ^ ` ~ | + = < >|a…b—c“d”|«dog»|।॥|、。，|¿dog? ¡cat!|a_b a-b a/b C:\\dog|3.14 1,000.5%|don't it's|😀👍🏽|❤\ufe0f|👨\u200d👩\u200d👧 dog|☃
""".strip().replace("\n", "|")
LONG = ["a" * 100, "a" * 101, "é" * 100, "é" * 101, "e\u0301" * 100, "e\u0301" * 101, "dog" * 33, "dog" * 34, "日" * 120, "!" * 120, "a " * 600,
        "dog " * 300 + "[MASK]", "1" * 99 + ".", "x" * 5000, "\u0301" * 300, "dog" + "\u200b" * 200 + "s"]


def vocabulary():
    """Special tokens, characters and most of them as parts of words, a hole each; words, and parts of words."""
    words = [w for i, w in enumerate(WORDS) if i % 4]
    names = [*SPECIALS, "[unused0]", "[unused1]", *(c for c in CHARACTERS if c not in " qQ"), *words, *(w.title() for w in words[::7]),
             *("##" + c for c in CHARACTERS if c not in string.punctuation + " xXQ"), *("##" + p for p in PARTS), "co", "##rot"]
    return list(dict.fromkeys(names))


def mixed_texts():
    yield from HARD.split("|")
    yield from LONG
    dice, source = random.Random(3), texts()
    pool = [caption(dice) for _ in range(900)]
    alphabet = [*ALPHABETS, "[MASK]# a", "日本語 dogs", "éèêe\u0301\u0300\u0323 a", "\u200b\u00ad\u0007\u0000\t a", "$^`~|+=<> a", "İIıi\u0307 "]
    for text in pool:
        yield text
    while True:
        yield next(source) if dice.random() < 0.4 else "".join(dice.choice(dice.choice(alphabet)) for _ in range(dice.randint(1, 20)))


def cases(tokenizer, count):
    """[text, ids without [CLS], [SEP] and padding, spans in bytes, flat] of so many different texts."""
    source, wanted, out = mixed_texts(), {}, []
    while len(wanted) < count:
        wanted[next(source)] = None
    for text in wanted:
        plain = tokenizer(text, truncation=True, max_length=62, add_special_tokens=False, return_offsets_mapping=True)
        byte = [len(text[:i].encode()) for i in range(len(text) + 1)]
        out.append([text, plain.input_ids, [byte[i] for span in plain.offset_mapping for i in span]])
    return out


def main(out):
    folder = out / "word_piece"
    folder.mkdir(exist_ok=True)
    names = vocabulary()
    (folder / "vocab.txt").write_text("\n".join(names) + "\n")
    print("vocabulary", len(names))
    for name, count, config in (("uncased", 2000, {}), ("cased", 300, dict(do_lower_case=False)),
                                ("accents", 300, dict(do_lower_case=False, strip_accents=True, tokenize_chinese_chars=False))):
        with tempfile.TemporaryDirectory() as place:
            (Path(place) / "vocab.txt").write_text((folder / "vocab.txt").read_text())
            (Path(place) / "tokenizer_config.json").write_text(json.dumps(config))
            write(out / f"word_piece_{name}.json", cases(BertTokenizer.from_pretrained(place), count))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
