# SPDX-License-Identifier: Apache-2.0
"""transformers' BertModel for tests/models/bert_test.cpp: .deps/peers/bin/python scripts/baselines/bert.py

ALBEF splits one BERT: the first layers read the text, the others, with cross-attention, the picture too. transformers allows
cross-attention in decoders only, whose BertModel would be causal; so the fusion layers are its BertLayer, put behind BertModel's own and
called with a mask for padding alone. ALBEF's keys and values have the picture's width. Stored in fp64: samples of the text's tokens,
of the fused ones, of one layer's cross-attention probabilities and of the logits of hidden words, and each parameter's gradient as a product
with a hash of its name."""
import torch
from cases import gradient_numbers, sampled, tensor, write_cases
from hash_weights import fill_with_hash
from torch import nn
from transformers import BertConfig, BertModel
from transformers.models.bert.modeling_bert import BertLayer, BertOnlyMLMHead


def options(vocab_size=61, max_length=16, dim=24, depth=4, heads=3, mlp_dim=52, fusion_layers=2, image_dim=20):
    return dict(vocab_size=vocab_size, max_length=max_length, dim=dim, depth=depth, heads=heads, mlp_dim=mlp_dim,
                fusion_layers=fusion_layers, image_dim=image_dim)


# lengths: tokens of each text, the others are padding; none: there is no mask. map: the fusion layer whose probabilities are stored.
CASES = {
    "text": dict(options=options(fusion_layers=0), tokens=9, lengths=[9, 4, 6]),
    "text_without_mask": dict(options=options(fusion_layers=0, depth=2), tokens=16, lengths=None),
    "fused": dict(options=options(), tokens=7, lengths=[7, 3], image_tokens=5, map=1),
    "fused_without_mask": dict(options=options(image_dim=24), tokens=5, lengths=None, image_tokens=10, map=0),
    "fused_wider_picture": dict(options=options(heads=4, dim=32, depth=3, fusion_layers=1, image_dim=48), tokens=11, lengths=[2, 11, 5],
                                image_tokens=17, map=0),
}


class Albef(nn.Module):
    def __init__(self, o):
        super().__init__()
        common = dict(vocab_size=o["vocab_size"], max_position_embeddings=o["max_length"], hidden_size=o["dim"],
                      num_attention_heads=o["heads"], intermediate_size=o["mlp_dim"], num_hidden_layers=o["depth"],
                      hidden_dropout_prob=0, attention_probs_dropout_prob=0, attn_implementation="eager",
                      pad_token_id=None)  # else the first word would not learn
        self.bert = BertModel(BertConfig(**common), add_pooling_layer=False)
        self.cls = BertOnlyMLMHead(BertConfig(**common))
        self.cls.predictions.decoder.weight = self.bert.embeddings.word_embeddings.weight
        self.cls.predictions.decoder.bias = self.cls.predictions.bias
        self.text_layers = o["depth"] - o["fusion_layers"]
        decoder = BertConfig(**common, is_decoder=True, add_cross_attention=True)
        for i in range(self.text_layers, o["depth"]):
            layer = BertLayer(decoder, layer_idx=i)
            for name in ("key", "value"):
                setattr(layer.crossattention.self, name, nn.Linear(o["image_dim"], o["dim"]))
            self.bert.encoder.layer[i] = layer

    def forward(self, ids, mask, image_tokens, wanted):
        layers, fusion = self.bert.encoder.layer[:self.text_layers], self.bert.encoder.layer[self.text_layers:]
        whole, self.bert.encoder.layer = self.bert.encoder.layer, layers  # the text encoder is BertModel itself
        self.bert.config.num_hidden_layers = len(layers)
        text = self.bert(ids, attention_mask=mask).last_hidden_state
        self.bert.encoder.layer = whole
        additive = None if mask is None else (1 - mask.double())[:, None, None, :] * torch.finfo(torch.float64).min
        probabilities, hidden = None, text
        for i, layer in enumerate(fusion):
            if i == wanted:
                layer.crossattention.self.register_forward_hook(lambda module, inputs, out: maps.append(out[1]))
            maps = []
            hidden = layer(hidden, additive, image_tokens)
            probabilities = maps[0] if maps else probabilities
        return text, hidden, probabilities


def values(case):
    o = case["options"]
    model = Albef(o).eval()
    fill_with_hash(model, 0.3).double()
    batch = len(case["lengths"]) if case["lengths"] else 2
    ids = torch.arange(batch * case["tokens"]).reshape(batch, -1) * 7 % o["vocab_size"]
    mask = None
    if case["lengths"]:
        mask = (torch.arange(case["tokens"])[None] < torch.tensor(case["lengths"])[:, None]).long()
    image_tokens = None
    if o["fusion_layers"]:
        image_tokens = tensor("image_tokens", batch, case["image_tokens"], o["image_dim"]).double().requires_grad_()
    text, fused, probabilities = model(ids, mask, image_tokens, case.get("map"))
    logits = model.cls(fused)
    result = dict(text=sampled(text), fused=sampled(fused), logits=sampled(logits))
    if probabilities is not None:
        result["probabilities"] = sampled(probabilities)
        score = (fused[:, 0] * tensor("score", *fused[:, 0].shape)).sum()
        result["probability_gradient"] = sampled(torch.autograd.grad(score, probabilities, retain_graph=True)[0])
    # The text alone too, and the rows of hidden words: all of the model's parts.
    loss = (text * tensor("text_loss", *text.shape)).sum() + (logits * tensor("loss", *logits.shape)).sum()
    loss.backward()
    inputs = {} if image_tokens is None else dict(image_tokens=image_tokens)
    return result | dict(gradients=gradient_numbers(model, **inputs))


if __name__ == "__main__":
    write_cases("bert", CASES, values)
