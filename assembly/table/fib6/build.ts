import { Image } from "../../image";
import { routesCreate } from "../routes/change";
import { Fib } from "../routes/fib";

export function fib6Create(image: Image): bool {
  return routesCreate(image, Fib.of6(image), 1);
}
