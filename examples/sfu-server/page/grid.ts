/** The layout of the tiles: all of them are to be seen at once, as large as the page allows. */

const grid = document.querySelector<HTMLElement>('#tiles')!;

const PICTURE_RATIO = 16 / 9;
/** Height that a tile needs below its picture. */
const FOOTER_HEIGHT_PX = 56;

/** To be called whenever the number of tiles has changed. */
export function layOut(): void {
  const { clientWidth, clientHeight, childElementCount } = grid;
  const columns = columnsFor(childElementCount, clientWidth, clientHeight);
  grid.style.setProperty('--columns', String(columns));
  grid.style.setProperty('--rows', String(Math.ceil(childElementCount / columns)));
}

/** The number of columns with which the pictures come out largest. */
function columnsFor(count: number, width: number, height: number): number {
  let [best, largest] = [1, 0];
  for (let columns = 1; columns <= count; ++columns) {
    const pictureHeight = height / Math.ceil(count / columns) - FOOTER_HEIGHT_PX;
    const size = Math.min(width / columns, pictureHeight * PICTURE_RATIO);
    if (size > largest) [best, largest] = [columns, size];
  }
  return best;
}

new ResizeObserver(layOut).observe(grid);
