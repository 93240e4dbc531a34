"""Makes the demo shop: python -m customer_segmentation.demo_shop."""

from customer_segmentation.demo_shop import main

main()
