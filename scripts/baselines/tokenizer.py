# SPDX-License-Identifier: Apache-2.0
"""Writes tests/text/data/clip_tokens.json, what transformers' CLIPTokenizer makes of many texts:
.deps/peers/bin/python scripts/baselines/tokenizer.py models/emoji tests/text/data"""
import json
import random
import shutil
import sys
import tempfile
from pathlib import Path

from transformers import CLIPTokenizer

model, out = Path(sys.argv[1]), Path(sys.argv[2])

HAND_WRITTEN = """
|a|A|  a  |dog's|dogs'|It's we've I'd they'll you're I'm don't|'s 't 're 've 'm 'll 'd|it''s|'S 'LL|12345|a1b2|3.14|1,000|x²½Ⅷ٣
!|!!!|a!b|hello, world!|(a) [b] {c}|#tag @you|a-b_c|snake_case|...|…|a — b|"quoted"|“quoted”|C:\\path|a/b|50%|$5 €5 £5|a&b <b>c</b>
naïve café|Ünïcödé|ÀÉÎÕÜ|straße STRASSE ẞ|øre Æsop Œuvre|ÿŸ|ıİ|İstanbul|Ελληνικά ΟΔΟΣ Σ|Привет, Мир!|Ђ Њ|שלום עולם|مرحبا|नमस्ते दुनिया
日本語のテキスト|你好，世界|한국어|ไทย|ქართული ᲥᲐᲠᲗᲣᲚᲘ|ᏣᎳᎩ|Ⓐⓑ|ǅ ǈ|ﬁne ﬂow|Ａｂｃ|𝐀𝐛|𐐀𐐨|😀|👍🏽|👨‍👩‍👧‍👦 family|🇩🇪|❤️|a😀b|😀😀😀|☃ ✈ ☎
e\u0301|a\u0300\u0301|o\u0302\u0301|A\u030a|n\u0303o|\u0301|d\u0323\u0307|\u1100\u0020|c\u0327\u0301a|u\u0308u|\u0915\u093c|\u0438\u0306
a\tb|a\u00a0b|a\u3000b|a\u2003b|a\u0085b|a\u200bb|a\u200db|a\ufeffb|a\u2028b|\u0000|a\u0001\u001c\u001f\u007fb|\ufffd|\ue000|\U0010ffff
a dog<|endoftext|>|<|startoftext|>a|<|endoftext|><|endoftext|>|<|ENDOFTEXT|>|!<|ENDOFTEXT|>!|<|EndOfText|><|STARTOFTEXT|>x|<|endoftext|<|end|<| |>|a<|endoftext|>b
left right above below|fire truck FIRE TRUCK fire-truck|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|thethethe|watermelons|photophotophoto
""".strip().replace("\n", "|")
LONG = ["a photo of a dog and " * 20, "watermelon" * 30, "😀" * 40, "1" * 100, "a dog " * 10 + "<|endoftext|>" * 30]
ALPHABETS = ["abcdeghilnoprtuw '", "aA1!.,'- \t", "éÉüßñçøåÆ aou", "\u0041\u0301\u0300 aeo", "ΑΒΣαβς Жжя ", "😀👍🏽\u200d❤\ufe0f a", "日本한국ไท ١٢"]


def texts():
    # "|" separates; escapes keep what no editor shows; "<|" and "|>" are put back
    marked = HAND_WRITTEN.replace("<|", "\x02").replace("|>", "\x03")
    for text in marked.split("|"):
        text = text.replace("\x02", "<|").replace("\x03", "|>")
        yield text
    yield from LONG
    yield from (model / "captions.txt").read_text().splitlines()[:150]
    dice = random.Random(0)
    for i in range(140):
        alphabet = ALPHABETS[i % len(ALPHABETS)]
        yield "".join(dice.choice(alphabet) for _ in range(dice.randint(1, 24)))


def encode(tokenizer, text):
    ids = tokenizer(text, truncation=True, max_length=32, padding="max_length").input_ids
    plain = tokenizer(text, truncation=True, max_length=30, add_special_tokens=False, return_offsets_mapping=True)
    byte = [len(text[:i].encode()) for i in range(len(text) + 1)]
    return dict(text=text, padded=ids, pieces=tokenizer.convert_ids_to_tokens(plain.input_ids),
                spans=[[byte[a], byte[b]] for a, b in plain.offset_mapping])


tokenizer = CLIPTokenizer.from_pretrained(model / "tokenizer")
result = dict(cases=[encode(tokenizer, text) for text in dict.fromkeys(texts())])

with tempfile.TemporaryDirectory() as folder:  # as Stable Diffusion 2: padded with "!"
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(model / "tokenizer" / name, folder)
    special = json.loads((model / "tokenizer/special_tokens_map.json").read_text()) | dict(pad_token="!")
    (Path(folder) / "special_tokens_map.json").write_text(json.dumps(special))
    (Path(folder) / "tokenizer_config.json").write_text(json.dumps(dict(model_max_length=32, tokenizer_class="CLIPTokenizer")))
    tokenizer = CLIPTokenizer.from_pretrained(folder, **special)
    result["padded_with_exclamation_marks"] = [encode(tokenizer, t) for t in ("a dog", "a dog!", "!!", "wow! a cat", "")]

with open(out / "clip_tokens.json", "w") as file:  # one case a line
    file.write("{\n" + ",\n".join(f'"{k}": [\n' + ",\n".join(json.dumps(c) for c in v) + "]" for k, v in result.items()) + "}\n")
print({k: len(v) for k, v in result.items()})
