const TEXTS: [id: string, text: string, topic: string][] = [
  ['lion', 'a large tawny cat that lives in prides and hunts at night', 'animals'],
  ['kitten', 'a young cat, playful and not yet grown', 'animals'],
  ['whale', 'a very large mammal of the sea that breathes through its back', 'animals'],
  ['sparrow', 'a small brown bird that nests under roofs', 'animals'],
  ['sofa', 'a long upholstered seat for more than one person', 'furniture'],
  ['stool', 'a simple seat without a back or arms', 'furniture'],
  ['wardrobe', 'a tall cupboard in which clothes are hung', 'furniture'],
  ['train', 'a line of carriages pulled along rails by an engine', 'travel'],
  ['ferry', 'a ship that carries people and cars over a short stretch of water', 'travel'],
  ['bicycle', 'a vehicle with two wheels that is moved by pedals', 'travel'],
  ['physician', 'someone who is trained to treat the sick', 'work'],
  ['baker', 'a person who makes and sells bread and cakes', 'work'],
];

/** Example objects, as lines of JSON. */
export const EXAMPLE = TEXTS.map(([id, payload, topic]) => JSON.stringify({ id, payload, metadata: { topic } })).join(
  '\n',
);
