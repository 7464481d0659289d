import assert from "node:assert/strict";
import { test } from "node:test";

import { zipSync } from "fflate";

import { gatherImages, nameFolders, writeTable } from "../../demo/ui/browser/batch.js";

const limits = { images: 3, bytes: 1000, suffixes: [".jpg", ".png"] };
const loadUnzip = () => import("fflate");
const file = (/** @type {string} */ name, size = 10) => new File([new Uint8Array(size)], name);
const zip = (/** @type {Record<string, number>} */ members) =>
  new File(
    [zipSync(Object.fromEntries(Object.entries(members).map(([n, s]) => [n, new Uint8Array(s)])))],
    "all.zip",
  );
const gather = (/** @type {File[]} */ ...files) => gatherImages(files, limits, loadUnzip);

test("images come out of files, folders and ZIPs, and nothing else does", async () => {
  const files = [file("a.jpg"), file("notes.txt"), file(".hidden.png")];
  const archive = zip({ "b/c.PNG": 5, "b/readme.md": 5, "__MACOSX/b/._c.png": 5 });
  const images = await gather(...files, archive);
  assert.deepEqual(
    images.map(({ name, size }) => [name, size]),
    [
      ["a.jpg", 10],
      ["b/c.PNG", 5],
    ],
  );
});

for (const { name, files, says } of [
  { name: "no image", files: [file("notes.txt")], says: /There is no image/ },
  { name: "too many images", files: [1, 2, 3, 4].map((i) => file(`${i}.jpg`)), says: /more than 3 images/ },
  { name: "too many bytes", files: [file("a.jpg", 1001)], says: /more than 3 images or 0.001 MB/ },
  {
    name: "too many images in a ZIP",
    files: [zip({ "1.jpg": 1, "2.jpg": 1, "3.jpg": 1, "4.jpg": 1, "5.jpg": 1 })],
    says: /more than 3 images/,
  },
  { name: "too many bytes in a ZIP", files: [zip({ "1.jpg": 999, "2.jpg": 999 })], says: /more than 3 images/ },
  {
    name: "too many bytes in two ZIPs",
    files: [zip({ "1.jpg": 600 }), zip({ "2.jpg": 600 })],
    says: /more than 3 images/,
  },
  { name: "a damaged ZIP", files: [file("a.zip")], says: /cannot be read as a ZIP/ },
]) {
  test(`${name}: a sentence says so`, async () => {
    await assert.rejects(gather(...files), says);
  });
}

test("folders are named after their images, and numbered", () => {
  assert.deepEqual(nameFolders(["a.jpg", "b/a.png", "a", "a-2.jpg"]), ["a", "a-2", "a-3", "a-2-2"]);
});

test("the table has a line for each class, and for each failure", () => {
  const rows = [
    { name: 'a "b".jpg', pixels: 8, areas: [[1, 6], [0, 2]], error: "" },
    { name: "c.jpg", pixels: 0, areas: [], error: "Broken, it is." },
  ];
  const table = writeTable(/** @type {any} */ (rows), [{ name: "background" }, { name: "cat" }]);
  assert.equal(
    table,
    'image,class_id,class_name,pixels,fraction,error\n"a ""b"".jpg",1,cat,6,0.750000,\n' +
      '"a ""b"".jpg",0,background,2,0.250000,\nc.jpg,,,,,"Broken, it is."\n',
  );
});
