"""MathJax of feedback pages, running: it typesets formulas, and makes nothing else of a text."""

import pytest
from course import sampled

from autograder.report.feedback import AS_IT_IS, inert
from autograder.report.mathjax import strict_mathjax

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>page</title>
{head}</head><body><p id="hostile">{text}</p><p id="plain">$$a_t = W s_{{t-1}} \\tag{{1.1}}$$ and $\\odot$</p>
<p class="{as_it_is}">$\\alpha$</p></body></html>"""
HOSTILE = [
    r"$\href{javascript:document.title='owned'}{click me}$",
    r"$$\href{https://example.org}{click me}$$",
    r"$\let\mine=\href \mine{https://example.org}{click me}$",
    r"$\def\mine#1{\href{https://example.org}{#1}}\mine{click me}$",
    r"$\require{html}\href{https://example.org}{click me}$",
    r"$\class{hidden}{click me} \cssId{plain}{click me} \style{position:fixed}{click me}$",
    r"$\bbox[border:9px solid; position:fixed]{click me}$",
    r"$\toggle{click}{me}\endtoggle \mathtip{a}{b} \texttip{a}{b}$",
    r"$\begin{equation}\label{a}x\end{equation} \eqref{a}$",
    r"$\unicode[Arial;position:fixed]{65} \data{x=1}{y}$",
    r"</p><script>document.title = 'owned'</script><img src=x onerror=document.title='owned'><p>",
]


@pytest.mark.parametrize("text", sampled(HOSTILE, 3))
@pytest.mark.parametrize("is_inert", [False, True], ids=["raw", "inert"])
def test_a_formula_makes_no_link_no_style_and_no_name(browser, tmp_path, text, is_inert):
    path = tmp_path / "page.html"
    path.write_text(
        PAGE.format(head=strict_mathjax(), as_it_is=AS_IT_IS, text=inert(text) if is_inert else text), "utf-8"
    )
    context = browser.new_context(offline=True)
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
    page.evaluate("MathJax.startup.promise.then(() => true)")
    assert page.locator("#plain mjx-container").count() == 2
    assert page.locator(".mathjax_ignore mjx-container").count() == 0
    assert not page.locator("a, [href]:not(use)").count()
    assert page.locator("#plain").count() == 1
    assert not page.locator(".hidden, [style*='fixed'], [style*='border']").count()
    for place in page.get_by_text("click me").all():
        place.click()
    assert page.title() == "page"
    assert [url for url in asked if not url.startswith("file:")] == []
    context.close()


def test_formulas_of_an_honest_student_stay_as_they_are():
    formulas = r"$\hat{y} = \sigma(W s)$, $$\text{loss} \le \underbrace{a}_{b} \quad \mathrm{d}x$$"
    assert inert(formulas) == formulas
