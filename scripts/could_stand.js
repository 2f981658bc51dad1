// Whether the figure of one slide could stand on another, well readable (the deck joins them from 0.8 on): {words: [h, v], figure: [h, v]} -> true or false.
async ({ words, figure }) => {
  Reveal.slide(...words, 999);
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const zoom = Reveal.getScale();
  const sheet = Reveal.getCurrentSlide().querySelector(".sheet");
  const { className, style: { fontSize } } = sheet;
  const image = Reveal.getSlide(...figure).querySelector(".figure img");
  const tried = document.createElement("div");
  tried.className = "fragment grows visible";
  tried.append(image.closest(".figure").cloneNode(true));
  sheet.style.fontSize = "";
  sheet.append(tried);
  const fits = ["below", "beside"].some((layout) => {
    sheet.classList.toggle("beside", layout === "beside");
    const room = tried.getBoundingClientRect();
    const scale = Math.min(room.width / image.naturalWidth, room.height / image.naturalHeight) / zoom;
    const wide = [...sheet.querySelectorAll("pre, table, mjx-container")]
      .some((part) => part.scrollWidth > part.parentElement.clientWidth);
    return scale >= 0.85 && !wide && sheet.scrollHeight <= 720 && sheet.scrollWidth <= 1280;
  });
  tried.remove();
  sheet.className = className;
  sheet.style.fontSize = fontSize;
  return fits;
}
