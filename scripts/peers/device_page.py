# SPDX-License-Identifier: Apache-2.0
"""What scripts/gpu_check.sh found, as rows, as text and as a page. Share of a device's peak: FLOP of products, convolutions and attention (two
for each multiplication with its sum; forward and backward; counted in eager PyTorch's step by torch.utils.flop_counter, and the same for
everyone) a second, over the data sheet's dense bf16 rate and over the fastest matrix product that PyTorch gave on the same machine."""
import html

TITLES = {"moco": "MoCo v3, ResNet-50, 224 px, a training step", "mae": "MAE, ViT-B/16, 224 px, a training step",
          "sample": "Stable Diffusion 1.5's width, 512 px, 25 steps, guidance: a drawing"}
SMALL = {"moco": "MoCo v3, ResNet-10 of width 16, 64 px (rehearsal)", "mae": "MAE, a small ViT, 64 px (rehearsal)",
         "sample": "the emoji model, 4 steps (rehearsal)"}
NAMES = {"freeatm": "freeatm", "eager": "PyTorch, eager", "compile": "PyTorch, torch.compile", "off": "freeatm",
         "tokens": "freeatm, masks harvested", "self": "freeatm, masks and self-attention harvested"}
HEAD = ("", "pictures/s", "ms", "batch", "memory, MiB", "TFLOP/s", "of the data sheet", "of a product")


def data_sheet_rate(device, data_sheet):
    return next((1e12 * rate for name, rate in data_sheet.items() if name in device), None)


def rows_of(parts, data_sheet, counted, dry):
    """A row for each figure, ours first."""
    machine, rows = parts.get("machine", {}), []
    sheet = data_sheet_rate(machine.get("device", ""), data_sheet)
    product = parts.get("peak", {}).get("flops_per_second")
    for kind in TITLES:
        eager = parts.get(f"{kind}_eager")
        flops = eager["flops"] / eager["pictures"] if eager else None if dry else counted[kind]  # a picture
        for name in NAMES:
            part = parts.get(f"{kind}_{name}")
            if not part:
                continue
            title = (SMALL if dry else TITLES)[kind]
            if kind == "sample" and not dry and part["model"] == "emoji":
                title = "the emoji model, 64 px, 25 steps, guidance: a drawing"
            rate = flops * part["pictures_per_second"] if flops else None
            rows.append({"title": title, "name": NAMES[name], "pictures_per_second": part["pictures_per_second"], "median_ms": 1000 * part["median"],
                         "batch": part["pictures"], "peak_memory": part["peak_memory"], "tflop_per_second": rate and rate / 1e12,
                         "of_data_sheet": rate / sheet if rate and sheet else None, "of_product": rate / product if rate and product else None})
    return rows


def cells(row):
    def shown(value, form):
        return "-" if value is None else form.format(value)
    return [row["name"], shown(row["pictures_per_second"], "{:.4g}"), shown(row["median_ms"], "{:.4g}"), str(row["batch"]),
            shown(row["peak_memory"], "{:.0f}"), shown(row["tflop_per_second"], "{:.3g}"), shown(row["of_data_sheet"], "{:.1%}"),
            shown(row["of_product"], "{:.1%}")]


def by_title(rows):
    titles = dict.fromkeys(row["title"] for row in rows)
    return {title: [cells(row) for row in rows if row["title"] == title] for title in titles}


def facts(result):
    """Pairs of what and how much."""
    parts = result["parts"]
    machine, found = parts.get("machine", {}), parts.get("tests")
    yield from ((key, machine[key] if not isinstance(machine[key], list) else "; ".join(machine[key])) for key in machine if key != "took" and machine[key])
    if peak := parts.get("peak"):
        yield "PyTorch", f"{peak['torch']}, CUDA {peak['cuda']}; fastest product {peak['flops_per_second'] / 1e12:.4g} TFLOP/s"
    if found:
        yield "tests that need a device", f"{found['passed']} passed, {found['skipped']} skipped, {found['failed']} failed"
    if training := parts.get("training"):
        minutes, found = training["minutes"], {name: "-" if training[name] is None else f"{training[name]:.4g}" for name in ("psnr", "loss", "samples_per_second")}
        yield "emoji model", (f"{minutes['vae']:.1f} and {minutes['unet']:.1f} minutes; PSNR of the autoencoder {found['psnr']} dB, loss {found['loss']}, "
                              f"{found['samples_per_second']} pictures/s")
    for name in ("new", "shipped"):
        if judged := parts.get(f"judged_{name}"):
            scores = ", ".join(f"{metric} {value:.3f}" for metric, value in judged["metrics"].items() if isinstance(value, float))
            yield f"masks of the {name} model", f"{judged['pictures']} pictures of val: {scores}"


def text(result):
    lines = [f"{what}: {value}" for what, value in facts(result)]
    for title, rows in by_title(result["rows"]).items():
        lines += ["", title, "", "| " + " | ".join(HEAD) + " |", "| --- " * len(HEAD) + "|"] + ["| " + " | ".join(row) + " |" for row in rows]
    lines += [""] + [f"FAILED {name}: {why}" for name, why in result["failures"].items()]
    return "\n".join(lines)


def table(head, rows):
    row_of = lambda tag, row: "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"
    return "<table>" + (row_of("th", head) if head else "") + "".join(row_of("td", row) for row in rows) + "</table>"


def page(result):
    parts = [table(None, [(what, str(value)) for what, value in facts(result)])]
    parts += [f"<h2>{html.escape(title)}</h2>{table(HEAD, rows)}" for title, rows in by_title(result["rows"]).items()]
    if result["failures"]:
        parts.append("<h2>What failed</h2>" + table(None, result["failures"].items()))
    style = "body{font:15px sans-serif;margin:2em;max-width:70em}td,th{padding:.2em .8em;text-align:left;border-bottom:1px solid #ddd}p{color:#555}"
    return (f"<!doctype html><html lang=en><meta charset=utf-8><title>freeatm on this device</title><style>{style}</style><h1>freeatm on this device</h1>"
            f"{''.join(parts)}<p>{html.escape(' '.join(__doc__.split('Share', 1)[1].join(['Share', '']).split()))}</p>"
            "<p>result.json has all of it; logs/ what each part said; ldm/vae/report.html and ldm/unet/report.html the training's pictures; model/ the "
            "trained model.</p></html>")
