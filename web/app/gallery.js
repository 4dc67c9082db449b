// Choosing a picture: a sample, or a file by browsing, dropping or pasting.

import { ImageError, crop } from "./image.js";
import { label } from "./format.js";

/**
 * Fills the gallery and calls `onChoice({canvas, truth, name})` for every picture chosen, `onChoice()` while it is read and for one that cannot be used. The
 * first sample is chosen for whoever has not chosen by then.
 */
export async function setUpGallery(onChoice) {
  const choose = chooser(onChoice);
  setUpFiles(choose);
  const folder = new URL("../samples/", import.meta.url);
  const samples = await (await fetch(new URL("samples.json", folder))).json();
  const gallery = document.querySelector("#gallery");
  for (const sample of samples) gallery.append(tile(sample, folder, choose));
  if (!choose.begun) gallery.querySelector("input")?.click();
}

function chooser(onChoice) {
  const error = document.querySelector("#image-error");
  const drop = document.querySelector("#drop");
  let latest = 0;
  const choose = async (load, { truth, name, own }) => {
    choose.begun = true;
    latest += 1;
    const mine = latest;
    error.hidden = true;
    // Until it is there, nobody is to send the picture before it.
    onChoice();
    try {
      const canvas = await crop(await load());
      if (mine !== latest) return;
      drop.classList.toggle("chosen", own);
      drop.querySelector(".drop-title").textContent = own ? name : "Your own picture";
      onChoice({ canvas, truth, name });
    } catch (problem) {
      if (mine !== latest) return;
      drop.classList.remove("chosen");
      error.textContent = problem instanceof ImageError ? problem.message : "This picture could not be read.";
      error.hidden = false;
    }
  };
  return choose;
}

function tile({ file, label: truth }, folder, choose) {
  const image = document.createElement("img");
  image.src = new URL(file, folder);
  image.alt = label(truth);
  image.width = 32;
  image.height = 32;
  const input = document.createElement("input");
  input.type = "radio";
  input.name = "sample";
  input.value = file;
  input.addEventListener("change", () => {
    document.querySelector("#file").value = "";
    choose(async () => (await fetch(image.src)).blob(), { truth, name: label(truth), own: false });
  });
  const tile = document.createElement("label");
  tile.className = "sample";
  tile.append(input, image);
  return tile;
}

function setUpFiles(choose) {
  const input = document.querySelector("#file");
  const take = (file) => {
    if (!file || input.disabled) return;
    for (const sample of document.querySelectorAll("#gallery input")) sample.checked = false;
    choose(async () => file, { truth: undefined, name: file.name || "Pasted picture", own: true });
  };
  input.addEventListener("change", () => take(input.files[0]));
  const drop = document.querySelector("#drop");
  const carriesFile = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  // The whole page takes the drop: a near miss would make the browser leave the page to show the file.
  addEventListener("dragover", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    drop.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => take(event.clipboardData?.files[0]));
}
