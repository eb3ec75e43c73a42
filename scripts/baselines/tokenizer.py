# SPDX-License-Identifier: Apache-2.0
"""Learns a small CLIP vocabulary and writes it under tests/text/data as transformers 4 (vocab.json, merges.txt) and as
transformers 5 (tokenizer.json) save it, with what transformers' CLIPTokenizer makes of 2,000 texts:
.deps/peers/bin/python scripts/baselines/tokenizer.py tests/text/data
With a second argument, a folder of CLIP's own vocabulary, clip_tokens.json is written there too (for FREEATM_CLIP, see the test)."""
import json
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tokenizers import pre_tokenizers, trainers
from transformers import CLIPTokenizer

SPECIALS = dict(bos_token="<|startoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>", pad_token="<|endoftext|>")

HAND_WRITTEN = """
|a|A|  a  |dog's|dogs'|It's we've I'd they'll you're I'm don't|'s 't 're 've 'm 'll 'd|it''s|'S 'LL|12345|a1b2|3.14|1,000|x²½Ⅷ٣
!|!!!|a!b|hello, world!|(a) [b] {c}|#tag @you|a-b_c|snake_case|...|…|a — b|"quoted"|“quoted”|C:\\path|a/b|50%|$5 €5 £5|a&amp;b <b>c</b>
naïve café|Ünïcödé|ÀÉÎÕÜ|straße STRASSE ẞ|øre Æsop Œuvre|ÿŸ|ıİ|İstanbul|Ελληνικά ΟΔΟΣ Σ|Привет, Мир!|Ђ Њ|שלום עולם|مرحبا|नमस्ते दुनिया
日本語のテキスト|你好，世界|한국어|ไทย|ქართული ᲥᲐᲠᲗᲣᲚᲘ|ᏣᎳᎩ|Ⓐⓑ|ǅ ǈ|ﬁne ﬂow|Ａｂｃ|𝐀𝐛|𐐀𐐨|😀|👍🏽|👨‍👩‍👧‍👦 family|🇩🇪|❤️|a😀b|😀😀😀|☃ ✈ ☎
e\u0301|a\u0300\u0301|o\u0302\u0301|A\u030a|n\u0303o|\u0301|d\u0323\u0307|d\u0307\u0323|\u1100\u0020|c\u0327\u0301a|c\u0301\u0327a|u\u0308u|\u0915\u093c|\u0438\u0306
\u1100\u1161|\u1112\u1161\u11ab\u1100\u1173\u11af|\uac00\u11a8|\u212b \u2126 \u212a|\u0958\u0340\u0374|q\u0307\u0323x|\u0344a|\u2adc|\ufb1d\ufb2e|\uf900\ufa0e|a\u0315\u0300\u05ae\u0300b
a\tb|a\u00a0b|a\u3000b|a\u2003b|a\u0085b|a\u200bb|a\u200db|a\ufeffb|a\u2028b|\u0000|a\u0001\u001c\u001f\u007fb|\ufffd|\ue000|\U0010ffff
a dog<|endoftext|>|<|startoftext|>a|<|endoftext|><|endoftext|>|<|ENDOFTEXT|>|!<|ENDOFTEXT|>!|<|EndOfText|><|STARTOFTEXT|>x|<|endoftext|<|end|<| |>|a<|endoftext|>b
left right above below|fire truck FIRE TRUCK fire-truck|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|thethethe|watermelons|photophotophoto|   |\n|\t a \n b
""".strip().replace("\n", "|").replace("\\n", "\n")
LONG = ["a photo of a dog and " * 20, "watermelon" * 30, "😀" * 40, "1" * 100, "a dog " * 10 + "<|endoftext|>" * 30, "a " * 500]
ALPHABETS = ["abcdeghilnoprtuw '", "aA1!.,'- \t", "éÉüßñçøåÆ aou", "\u0041\u0301\u0300\u0323\u0327 aeoc", "ΑΒΣαβς Жжя ", "😀👍🏽\u200d❤\ufe0f a",
             "日本한국ไท ١٢", "\u1100\u1102\u1161\u1165\u11a8\u11ab\uac00\uac01 a", "\u212b\u2126\u0344\u0958\ufb2e\u09cb\u0b94 x"]
WORDS = """a an the two three photo picture of dog cat horse bird bear zebra giraffe elephant cow sheep apple banana pizza cake bus train truck
boat car bicycle bench chair table kitchen street grass water snow beach sand sky field mountain man woman boy girl people child sitting
standing riding holding looking walking next to on in with under near large small red blue green black white wooden old young colorful
skateboard surfboard umbrella frisbee baseball tennis racket phone laptop clock vase book bottle cup fork knife bowl sandwich carrot""".split()
CONTRACTIONS = ["it's", "dog's", "they're", "I've", "don't", "we'll", "he'd", "I'm"]


def caption(dice):
    words = dice.choices(WORDS, k=dice.randint(2, 14))
    if dice.random() < 0.2:
        words.insert(dice.randint(0, len(words)), dice.choice(CONTRACTIONS))
    if dice.random() < 0.2:
        words.insert(dice.randint(0, len(words)), str(dice.randint(0, 99999)))
    text = " ".join(words)
    return dice.choice([str, str.upper, str.title, str.capitalize])(text) + dice.choice(["", ".", "!", ",", "...", " 😀"])


def texts():
    # "|" separates; "<|" and "|>" are put back
    for text in HAND_WRITTEN.replace("<|", "\x02").replace("|>", "\x03").split("|"):
        yield text.replace("\x02", "<|").replace("\x03", "|>")
    yield from LONG
    dice = random.Random(0)
    for _ in range(700):
        yield caption(dice)
    while True:
        alphabet = dice.choice(ALPHABETS)
        yield "".join(dice.choice(alphabet) for _ in range(dice.randint(1, 24)))


def cases(tokenizer, count):
    """[text, ids without start and end, spans in bytes, flat] of so many different texts; what is cut off is cut off."""
    source, wanted = texts(), {}
    while len(wanted) < count:
        wanted[next(source)] = None
    length, out = tokenizer.model_max_length, []
    for text in wanted:
        plain = tokenizer(text, truncation=True, max_length=length - 2, add_special_tokens=False, return_offsets_mapping=True)
        padded = tokenizer(text, truncation=True, max_length=length, padding="max_length").input_ids
        rest = [tokenizer.eos_token_id] + [tokenizer.pad_token_id] * (length - 2 - len(plain.input_ids))
        assert padded == [tokenizer.bos_token_id, *plain.input_ids, *rest]
        byte = [len(text[:i].encode()) for i in range(len(text) + 1)]
        out.append([text, plain.input_ids, [byte[i] for span in plain.offset_mapping for i in span]])
    return out


def one(tokenizer, text):
    plain = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return [text, plain.input_ids, [i for span in plain.offset_mapping for i in span]]  # the text is ASCII: a character is a byte


def write(path, rows):
    path.write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")
    print(path.name, len(rows))


def learn(folder):
    """vocab.json and merges.txt as CLIP has them, but the start and end tokens last: bytes, bytes at a word's end, merges."""
    model = CLIPTokenizer().backend_tokenizer
    dice = random.Random(1)
    trainer = trainers.BpeTrainer(vocab_size=900, end_of_word_suffix="</w>", show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    model.train_from_iterator((caption(dice) for _ in range(4000)), trainer)
    learnt = json.loads(model.to_str())["model"]
    vocabulary = [piece for piece in sorted(learnt["vocab"], key=learnt["vocab"].get) if piece not in SPECIALS.values()]
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(vocabulary)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in learnt["merges"]))
    (folder / "special_tokens_map.json").write_text(json.dumps(SPECIALS))
    (folder / "tokenizer_config.json").write_text(json.dumps(dict(model_max_length=32, tokenizer_class="CLIPTokenizer")))


def main(out):
    four, five = out / "clip_transformers_4", out / "clip_transformers_5"
    for folder in (four, five):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    learn(four)
    tokenizer = CLIPTokenizer.from_pretrained(four)
    write(out / "clip_tokens.json", cases(tokenizer, 2000))

    tokenizer.add_tokens(["<Cat-Toy>"])  # as textual inversion adds its words: found in lower case, too
    tokenizer.save_pretrained(five)
    write(out / "clip_tokens_added.json",
          [one(tokenizer, t) for t in ("a <cat-toy> here", "A <CAT-TOY>!", "<Cat-Toy><cat-toy>", "a cat-toy", "<cat-toy")])
    with tempfile.TemporaryDirectory() as folder:  # as Stable Diffusion 2: padded with "!", which then is a token of its own
        for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
            shutil.copy(four / name, folder)
        exclaiming = CLIPTokenizer.from_pretrained(folder, **SPECIALS | dict(pad_token="!"))
        write(out / "clip_tokens_exclaiming.json", [one(exclaiming, t) for t in ("a dog", "a dog!", "!!", "wow! a cat", "")])
    if len(sys.argv) > 2:
        write(Path(sys.argv[2]) / "clip_tokens.json", cases(CLIPTokenizer.from_pretrained(sys.argv[2]), 2000))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
